import type { PathSegment } from "./path.ts";

/** What JSON.parse takes, and we do not. */
export type ScanFault = "too_deep" | "key_twice" | "proto_key" | "number_too_large" | "lone_surrogate";

/** The first fault of a text, and the path of the value or key that has it. */
export interface Scanned {
  readonly fault: ScanFault;
  readonly path: readonly PathSegment[];
}

/** An object or array with a number that a double may change, and where in the text it is. */
export interface Span {
  readonly path: readonly PathSegment[];
  readonly start: number;
  readonly end: number;
}

/** Objects and arrays that are looked for. */
export interface SpanSearch {
  /** Their keys. */
  readonly keys: ReadonlySet<string>;
  /** Is given each one that has such a number. */
  readonly found: Span[];
}

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const UPPER_E = 0x45;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LOWER_E = 0x65;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** From this many keys on an object's keys are kept in a set; below, looking through them is cheaper. */
const MANY_KEYS = 16;
/** An integer with fewer digits is a finite double. */
const FINITE_DIGITS = 308;
/** A number with fewer characters, and without an exponent, is what its double is, but for the negative zero. */
const EXACT_DIGITS = 16;

/** An array or object that the scan is in. Frames are used again for their later siblings. */
interface Frame {
  isArray: boolean;
  /** Index of its bracket. */
  start: number;
  /** Of an array: index of the element. */
  index: number;
  /** Of an object: the keys so far; the last one is that of the value. */
  keys: string[];
  /** Of an object with many keys. */
  keySet: Set<string> | undefined;
}

interface Scan {
  readonly text: string;
  readonly maxDepth: number;
  /** Whether no character of the text, as opposed to its escapes, is half of a surrogate pair. */
  readonly isWellFormed: boolean;
  readonly mayHaveSurrogates: boolean;
  readonly search: SpanSearch | undefined;
  /** Index of the last number so far that a double may change; -1: there is none. */
  inexactAt: number;
  /** The first `depth` of them are open. */
  readonly frames: Frame[];
  depth: number;
  isKeyNext: boolean;
  /** Index of the first backslash from the last string's start on: it is looked for once, and not once for each string. */
  backslash: number;
}

/** Index after what was read, or why the scan ends. */
type Step = number | ScanFault | "no_json";

/**
 * Looks through JSON text once, for what JSON.parse accepts without a word: nesting beyond `maxDepth`, keys that are there twice, the
 * key "__proto__", numbers that overflow, and halves of surrogate pairs. Strings are skipped natively; there is no recursion. Of text
 * that is no JSON it says nothing reliable.
 */
export function scanJson(
  text: string,
  maxDepth: number,
  isWellFormed: boolean,
  search?: SpanSearch,
): Scanned | undefined {
  const scan: Scan = {
    text,
    maxDepth,
    isWellFormed,
    mayHaveSurrogates: !isWellFormed || text.includes("\\ud") || text.includes("\\uD"),
    search,
    inexactAt: -1,
    frames: [],
    depth: 0,
    isKeyNext: false,
    backslash: -1,
  };
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    let step: Step = at + 1;
    if (code === QUOTE) step = scanString(scan, at);
    else if (code === MINUS || (code >= ZERO && code <= NINE)) step = scanNumber(scan, at);
    else if (code === COMMA) step = scanComma(scan, at);
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) step = openFrame(scan, code === OPEN_BRACKET, at);
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) step = closeFrame(scan, at);
    if (step === "no_json") return undefined;
    if (typeof step === "string") return { fault: step, path: pathIn(scan.frames, scan.depth) };
    at = step;
  }
  return undefined;
}

/** The path of what the scan has reached. */
const pathIn = (frames: readonly Frame[], depth: number): PathSegment[] =>
  frames.slice(0, depth).map(({ isArray, index, keys }) => (isArray ? index : (keys.at(-1) ?? "")));

function scanString(scan: Scan, start: number): Step {
  const { text, isWellFormed } = scan;
  if (scan.backslash < start) scan.backslash = indexOrEnd(text, "\\", start);
  const end = endOfString(text, start, scan.backslash);
  if (end === -1) return "no_json";
  const hasEscapes = scan.backslash < end;
  if (scan.isKeyNext) {
    scan.isKeyNext = false;
    const key = hasEscapes ? readString(text.slice(start, end + 1)) : text.slice(start + 1, end);
    if (key === undefined) return "no_json";
    if (!addKey(scan.frames[scan.depth - 1]!, key)) return "key_twice";
    if (key === "__proto__") return "proto_key";
  }
  if (scan.mayHaveSurrogates && (hasEscapes || !isWellFormed)) {
    if (readString(text.slice(start, end + 1))?.isWellFormed() === false) return "lone_surrogate";
  }
  return end + 1;
}

function scanComma(scan: Scan, at: number): Step {
  const frame = scan.frames[scan.depth - 1];
  if (frame === undefined) return "no_json";
  if (frame.isArray) frame.index++;
  else scan.isKeyNext = true;
  return at + 1;
}

function openFrame(scan: Scan, isArray: boolean, at: number): Step {
  if (scan.depth === scan.maxDepth) return "too_deep";
  const frame = scan.frames[scan.depth];
  if (frame === undefined) scan.frames.push({ isArray, index: 0, start: at, keys: [], keySet: undefined });
  else {
    frame.isArray = isArray;
    frame.start = at;
    frame.index = 0;
    frame.keys = [];
    frame.keySet = undefined;
  }
  scan.depth++;
  scan.isKeyNext = !isArray;
  return at + 1;
}

function closeFrame(scan: Scan, at: number): Step {
  if (scan.depth === 0) return "no_json";
  scan.depth--;
  scan.isKeyNext = false;
  const { start } = scan.frames[scan.depth]!;
  if (scan.inexactAt >= start) offerSpan(scan, start, at + 1);
  return at + 1;
}

/** Takes down where the value that was just closed is, if it is looked for. */
function offerSpan({ search, frames, depth }: Scan, start: number, end: number): void {
  const parent = frames[depth - 1];
  if (search === undefined || parent === undefined || parent.isArray || !search.keys.has(parent.keys.at(-1)!)) return;
  search.found.push({ path: pathIn(frames, depth), start, end });
}

function indexOrEnd(text: string, part: string, from: number): number {
  const index = text.indexOf(part, from);
  return index === -1 ? text.length : index;
}

/** Index of the closing quote; -1 where there is none. `backslash`: the first one from `start` on. */
function endOfString(text: string, start: number, backslash: number): number {
  let end = text.indexOf('"', start + 1);
  while (backslash < end && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

/** Whether an odd number of backslashes stands before a quote. */
function isEscaped(text: string, quote: number): boolean {
  let at = quote - 1;
  while (text.charCodeAt(at) === BACKSLASH) at--;
  return (quote - at) % 2 === 0;
}

/** What a string with escapes says; undefined where it is no JSON. */
function readString(token: string): string | undefined {
  try {
    return JSON.parse(token) as string;
  } catch {
    // The text as a whole will be refused, with a better message.
    return undefined;
  }
}

/** Takes a key down; false if it was there. */
function addKey(frame: Frame, key: string): boolean {
  const { keys } = frame;
  if (keys.length === MANY_KEYS) frame.keySet = new Set(keys);
  const isNew = !(frame.keySet?.has(key) ?? keys.includes(key));
  frame.keySet?.add(key);
  keys.push(key);
  return isNew;
}

function scanNumber(scan: Scan, start: number): Step {
  const { text } = scan;
  let end = start + 1;
  let hasExponent = false;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === LOWER_E || code === UPPER_E) hasExponent = true;
    else if (!(code >= ZERO && code <= NINE) && code !== DOT && code !== PLUS && code !== MINUS) break;
  }
  if (hasExponent || end - start >= EXACT_DIGITS || text.startsWith("-0", start)) scan.inexactAt = start;
  const mayBeInfinite = hasExponent || end - start > FINITE_DIGITS;
  return mayBeInfinite && Math.abs(Number(text.slice(start, end))) === Number.POSITIVE_INFINITY
    ? "number_too_large"
    : end;
}
