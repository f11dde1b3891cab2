/** Half of a surrogate pair, as JSON.stringify writes it; a backslash that is itself escaped does not begin one. */
const LONE_SURROGATE = /(?<=(?:^|[^\\])(?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

/** From how many characters on a text is long: an image, most likely. */
const LONG = 64 * 1024;

/** Text that JSON has as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** Stands for a long text. */
const HOLE = "a long text";
const HOLE_IN_JSON = JSON.stringify(HOLE);

/**
 * As JSON.stringify, but halves of surrogate pairs become U+FFFD: they come out of escapes within texts of JSON, and providers refuse a
 * body that has one. Long texts without anything to escape are not gone through letter by letter, which takes 60 ms
 * for an image of 20 MB, and not copied.
 */
export function stringifyWellFormed(value: unknown): string {
  const long: string[] = [];
  collectLong(value, long);
  return (long.length === 0 ? undefined : stringifyAround(value, long)) ?? stringify(value);
}

function stringify(value: unknown, replacer?: (key: string, value: unknown) => unknown): string {
  const text = JSON.stringify(value, replacer);
  return text.includes("\\ud") ? text.replace(LONE_SURROGATE, "\ufffd") : text;
}

/** Collects the long texts that need no escapes, in the order in which they are written. */
function collectLong(value: unknown, long: string[]): void {
  if (typeof value === "string") {
    if (isLong(value)) long.push(value);
  } else if (Array.isArray(value)) {
    for (const element of value) collectLong(element, long);
  } else if (typeof value === "object" && value !== null) {
    for (const key in value) collectLong((value as Readonly<Record<string, unknown>>)[key], long);
  }
}

const isLong = (text: string): boolean => text.length > LONG && isPlain(text);

/** What base64 and data URLs with it begin with. */
const BASE64_BEGINS = /^(?:data:[ !#-+\--[\]-~]*;base64,)?(?=[A-Za-z0-9+/]{64})/;

function isPlain(text: string): boolean {
  const begin = BASE64_BEGINS.exec(text)?.[0].length;
  return (begin !== undefined && isBase64(text, begin)) || PLAIN.test(text);
}

/** Characters that are decoded at once; whole groups of four. */
const PART = 1024 * 1024;

/**
 * Whether a text is base64 from there on, in either alphabet. Node's decoder takes less than a tenth of the time of a pattern; it skips what
 * is no base64, and has fewer bytes then.
 */
function isBase64(text: string, begin: number): boolean {
  // The decoder sees the lower half of each character only: a pair of surrogates, where there is one, needs no escape.
  if ((text.length - begin) % 4 !== 0 || !text.isWellFormed()) return false;
  const bytes = Buffer.allocUnsafe((Math.min(PART, text.length - begin) / 4) * 3);
  for (let at = begin; at < text.length; at += PART) {
    const part = text.slice(at, at + PART);
    const padding = at + PART < text.length ? 0 : paddingOf(part);
    if (bytes.write(part, "base64") !== (part.length / 4) * 3 - padding) return false;
  }
  return true;
}

const paddingOf = (text: string): number => (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0);

/** Writes the rest, with holes for the long texts. Undefined where somebody else's text is the same as that of a hole. */
function stringifyAround(value: unknown, long: readonly string[]): string | undefined {
  let next = 0;
  const around = stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== "string" || inner !== long[next]) return inner;
    next += 1;
    return HOLE;
  }).split(HOLE_IN_JSON);
  if (around.length !== long.length + 1) return undefined;
  return around.reduce((text, piece, at) => `${text}"${long[at - 1]}"${piece}`);
}
