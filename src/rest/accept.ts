const JSON_RANGES: ReadonlySet<string> = new Set(["application/json", "application/*"]);
const STREAM_RANGES: ReadonlySet<string> = new Set(["text/event-stream", "text/*", "*/*"]);

interface MediaRange {
  readonly type: string;
  readonly quality: number;
}

/**
 * Whether a client would rather have one JSON document than an event stream, by its Accept header (RFC 9110 §12.5.1):
 * the range of the highest quality that takes either of them decides, and the first one among equals. Without such a
 * range it would not.
 */
export function prefersJson(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const ranges = accept.split(",").map(parseRange);
  const best = ranges
    .filter(({ type, quality }) => quality > 0 && (JSON_RANGES.has(type) || STREAM_RANGES.has(type)))
    .sort((one, other) => other.quality - one.quality)[0];
  return best !== undefined && JSON_RANGES.has(best.type);
}

function parseRange(text: string): MediaRange {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith("q="));
  return { type, quality: quality === undefined ? 1 : Number(quality.slice(2)) };
}
