import type { Random } from "../random.ts";
import { createPatternMatcher, type PatternMatcher } from "./pattern-match.ts";
import { type CharacterSet, hasCodePoint, PatternError, type PatternNode, parsePattern } from "./pattern-parse.ts";

/** The lengths that a text may have, in characters (code points), both inclusive. */
export interface LengthBounds {
  min: number;
  max: number;
}

/** A `pattern` of a JSON Schema, ready to check texts and to make some. */
export interface Pattern {
  matches: PatternMatcher;
  /** A text that matches and has a length within the bounds; undefined when some tries found none. */
  sample(random: Random, bounds: LengthBounds): string | undefined;
}

/** How often things are repeated: as often as looks natural, as seldom as possible, or until the text is long enough. */
type Style = "natural" | "short" | "long";

const STYLES: readonly Style[] = ["natural", "short", "long", "natural", "long", "natural"];
const MAX_TRIES = 24;
const MAX_STEPS = 20_000;
/** An unbounded repetition that looks natural has up to so many. */
const NATURAL_REPEATS = 8;

/** Parses a pattern. Throws PatternError when it is malformed, too large or not regular (look-around, back references). */
export function createPattern(source: string, spend: (steps: number) => void): Pattern {
  const node = parsePattern(source);
  const matches = createPatternMatcher(node, spend);
  function sample(random: Random, bounds: LengthBounds): string | undefined {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      // Later tries to become long enough aim lower: the last repetition may bring more than it has to.
      const wanted = Math.max(0, bounds.min - random.int(1 + Math.floor(tries / STYLES.length)));
      const text = writeSample(node, random, STYLES[tries % STYLES.length]!, wanted, spend);
      const length = [...text].length;
      // Anchors and word boundaries are not looked at when writing, so the text need not match.
      if (length >= bounds.min && length <= bounds.max && matches(text)) {
        return text;
      }
    }
    return undefined;
  }
  return { matches, sample };
}

/** Writes one text along the pattern, leaving out its assertions. */
function writeSample(
  pattern: PatternNode,
  random: Random,
  style: Style,
  wanted: number,
  spend: (steps: number) => void,
): string {
  let text = "";
  let steps = 0;
  // How many characters are still to be added when the text has to become long.
  let lacking = wanted;

  function write(node: PatternNode): void {
    steps++;
    if (steps > MAX_STEPS) {
      throw new PatternError(`a text for the pattern takes more than ${MAX_STEPS} steps`);
    }
    switch (node.kind) {
      case "set":
        text += String.fromCodePoint(random.pick(candidates(node.set)));
        lacking--;
        return;
      case "assertion":
        return;
      case "sequence":
        node.items.forEach(write);
        return;
      case "alternatives":
        write(random.pick(node.items));
        return;
      case "repeat":
        writeRepeated(node);
    }
  }
  function writeRepeated({ item, min, max }: Extract<PatternNode, { kind: "repeat" }>): void {
    const isNatural = style === "natural" || (style === "long" && max === 1);
    const natural = isNatural ? naturalCount(min, max, random) : min;
    for (let count = 0; count < natural || (style === "long" && count < max && lacking > 0); count++) {
      write(item);
    }
  }
  write(pattern);
  spend(steps);
  return text;
}

function naturalCount(min: number, max: number, random: Random): number {
  const low = max === 1 ? min : Math.max(min, 1);
  const high = Math.max(low, Math.min(max, NATURAL_REPEATS));
  return Math.min(max, low + random.int(high - low + 1));
}

const known = new WeakMap<CharacterSet, readonly number[]>();

/** Some code points of a set, the most readable kind that it has. Throws PatternError when none is found. */
function candidates(set: CharacterSet): readonly number[] {
  let points = known.get(set);
  if (points === undefined) {
    points = findCandidates(set);
    known.set(set, points);
  }
  return points;
}

const LOWER = codePoints("a", "z");
const DIGITS = codePoints("0", "9");
const UPPER = codePoints("A", "Z");
const PRINTABLE = codePoints(" ", "~");
/** A look at the rest of Unicode: every 7th code point of the first planes that have characters. */
const PROBES = Array.from({ length: 20_000 }, (_, index) => index * 7).filter((point) => !isSurrogate(point));

function findCandidates(set: CharacterSet): readonly number[] {
  const readable = LOWER.some((point) => hasCodePoint(set, point)) ? [...LOWER, ...DIGITS] : [...UPPER, ...DIGITS];
  const edges = set.ranges.flatMap((range) =>
    "accepts" in range ? [] : [range.low, range.high, range.low - 1, range.high + 1],
  );
  for (const points of [readable, PRINTABLE, edges, PROBES]) {
    const found = points.filter(
      (point) => point >= 0 && point <= 0x10ffff && !isSurrogate(point) && hasCodePoint(set, point),
    );
    if (found.length > 0) {
      return found;
    }
  }
  throw new PatternError("no character found for a class of the pattern");
}

function codePoints(first: string, last: string): number[] {
  const low = first.charCodeAt(0);
  return Array.from({ length: last.charCodeAt(0) - low + 1 }, (_, index) => low + index);
}

function isSurrogate(point: number): boolean {
  return point >= 0xd800 && point <= 0xdfff;
}
