/** Ranges that take a kind of answer, from the most specific on. */
const JSON_RANGES = ["application/json", "application/*", "*/*"] as const;
const STREAM_RANGES = ["text/event-stream", "text/*", "*/*"] as const;

interface MediaRange {
  readonly type: string;
  /** From 0, not acceptable, to 1. */
  readonly quality: number;
}

/**
 * Whether a client would rather have one JSON document than an event stream, by its Accept header (RFC 9110 §12.5.1):
 * for each of them, the most specific range counts. Of two that it likes as well, it would rather have the one that it
 * names first. Where it names neither, it would not.
 */
export function prefersJson(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const ranges = accept.split(",").map(parseRange);
  const json = findRange(ranges, JSON_RANGES);
  const stream = findRange(ranges, STREAM_RANGES);
  if (json === undefined || json.quality === 0) return false;
  if (stream === undefined || json.quality !== stream.quality) return json.quality > (stream?.quality ?? 0);
  return ranges.indexOf(json) < ranges.indexOf(stream);
}

function findRange(ranges: readonly MediaRange[], types: readonly string[]): MediaRange | undefined {
  return types.map((type) => ranges.find((range) => range.type === type)).find((range) => range !== undefined);
}

function parseRange(text: string): MediaRange {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith("q="));
  // What is no number accepts nothing.
  return { type, quality: quality === undefined ? 1 : Number(quality.slice(2)) || 0 };
}
