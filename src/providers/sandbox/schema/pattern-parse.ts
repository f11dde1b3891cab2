/*
 * Regular expressions as JSON Schema's `pattern` has them (ECMA-262 with the u flag), as far as they are regular:
 *
 *   alternatives = sequence *("|" sequence)
 *   sequence     = *(atom [quantifier])
 *   atom         = "^" | "$" | "\b" | "\B" | "." | class | escape | group | character
 *   group        = "(" ["?:" | "?<" name ">"] alternatives ")"
 *   quantifier   = ("*" | "+" | "?" | "{" min ["," [max]] "}") ["?"]
 *
 * Look-around and back references are refused: no matcher that takes linear time has them.
 */

/** One part of a character set: the code points from `low` to `high`, or those that a predicate accepts. */
export type CharacterRange = { low: number; high: number } | { accepts: (codePoint: number) => boolean };

/** A set of code points. */
export interface CharacterSet {
  ranges: CharacterRange[];
  negated: boolean;
}

/** A parsed pattern. `max` is Infinity where a repetition has no upper bound. */
export type PatternNode =
  | { kind: "set"; set: CharacterSet }
  | { kind: "assertion"; at: "start" | "end" | "boundary" | "inside" }
  | { kind: "sequence"; items: PatternNode[] }
  | { kind: "alternatives"; items: PatternNode[] }
  | { kind: "repeat"; item: PatternNode; min: number; max: number };

/** Why a pattern was not taken; `message` names the construct and its offset. */
export class PatternError extends Error {
  override readonly name = "PatternError";
}

const MAX_PATTERN_LENGTH = 2000;
const MAX_GROUP_DEPTH = 50;
const MAX_CODE_POINT = 0x10ffff;
const CONTROL_ESCAPES = new Map([
  ["t", 9],
  ["n", 10],
  ["v", 11],
  ["f", 12],
  ["r", 13],
  ["0", 0],
]);
const DIGITS: CharacterRange[] = [{ low: 48, high: 57 }];
const WORD: CharacterRange[] = [...DIGITS, { low: 65, high: 90 }, { low: 95, high: 95 }, { low: 97, high: 122 }];
const SPACES: CharacterRange[] = [
  { low: 32, high: 32 },
  { low: 9, high: 13 },
  ...[0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff].map((point) => ({ low: point, high: point })),
  { low: 0x2000, high: 0x200a },
];
const CLASS_ESCAPES = new Map<string, CharacterSet>([
  ["d", { ranges: DIGITS, negated: false }],
  ["D", { ranges: DIGITS, negated: true }],
  ["w", { ranges: WORD, negated: false }],
  ["W", { ranges: WORD, negated: true }],
  ["s", { ranges: SPACES, negated: false }],
  ["S", { ranges: SPACES, negated: true }],
]);
const LINE_ENDS: CharacterRange[] = [10, 13, 0x2028, 0x2029].map((point) => ({ low: point, high: point }));

/** Whether a set has a code point. */
export function hasCodePoint(set: CharacterSet, codePoint: number): boolean {
  const found = set.ranges.some((range) =>
    "accepts" in range ? range.accepts(codePoint) : codePoint >= range.low && codePoint <= range.high,
  );
  return found !== set.negated;
}

/** Whether a code point is one of `\w`; undefined (no character) is not. */
export function isWordCodePoint(codePoint: number | undefined): boolean {
  return codePoint !== undefined && hasCodePoint({ ranges: WORD, negated: false }, codePoint);
}

/** Parses a pattern, or throws PatternError for what is malformed, too long or not regular. */
export function parsePattern(source: string): PatternNode {
  if (source.length > MAX_PATTERN_LENGTH) {
    throw new PatternError(`pattern of ${source.length} characters must have at most ${MAX_PATTERN_LENGTH}`);
  }
  const parser = new PatternParser([...source]);
  const node = parser.alternatives(0);
  parser.expectEnd();
  return node;
}

class PatternParser {
  readonly #characters: readonly string[];
  #position = 0;

  constructor(characters: readonly string[]) {
    this.#characters = characters;
  }

  expectEnd(): void {
    if (this.#position < this.#characters.length) {
      throw this.#error(`unexpected "${this.#peek()}"`);
    }
  }

  alternatives(depth: number): PatternNode {
    if (depth > MAX_GROUP_DEPTH) {
      throw this.#error(`more than ${MAX_GROUP_DEPTH} nested groups`);
    }
    const items = [this.#sequence(depth)];
    while (this.#take("|")) {
      items.push(this.#sequence(depth));
    }
    return items.length === 1 ? items[0]! : { kind: "alternatives", items };
  }

  #sequence(depth: number): PatternNode {
    const items: PatternNode[] = [];
    for (let next = this.#peek(); next !== undefined && next !== "|" && next !== ")"; next = this.#peek()) {
      items.push(this.#quantified(this.#atom(depth)));
    }
    return items.length === 1 ? items[0]! : { kind: "sequence", items };
  }

  #atom(depth: number): PatternNode {
    const character = this.#next();
    switch (character) {
      case "^":
        return { kind: "assertion", at: "start" };
      case "$":
        return { kind: "assertion", at: "end" };
      case ".":
        return { kind: "set", set: { ranges: LINE_ENDS, negated: true } };
      case "[":
        return { kind: "set", set: this.#class() };
      case "(":
        return this.#group(depth);
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        throw this.#error(`nothing to repeat before "${character}"`);
      default:
        return literal(character.codePointAt(0)!);
    }
  }

  #group(depth: number): PatternNode {
    if (this.#take("?")) {
      const named = this.#peek() === "<" && this.#peek(1) !== "=" && this.#peek(1) !== "!";
      if (named) {
        while (this.#next() !== ">") {
          // The name of a group changes nothing here.
        }
      } else if (!this.#take(":")) {
        throw this.#error("look-around is not supported");
      }
    }
    const node = this.alternatives(depth + 1);
    if (!this.#take(")")) {
      throw this.#error('missing ")"');
    }
    return node;
  }

  #escape(): PatternNode {
    const character = this.#peek();
    if (character === "b" || character === "B") {
      this.#position++;
      return { kind: "assertion", at: character === "b" ? "boundary" : "inside" };
    }
    if (character !== undefined && (/[1-9]/.test(character) || (character === "k" && this.#peek(1) === "<"))) {
      throw this.#error("back references are not supported");
    }
    const escaped = this.#escapedSet();
    return typeof escaped === "number" ? literal(escaped) : { kind: "set", set: escaped };
  }

  /** What follows a backslash, in a class or outside: one code point or a set. */
  #escapedSet(): number | CharacterSet {
    const character = this.#next();
    const set = CLASS_ESCAPES.get(character);
    if (set !== undefined) {
      return set;
    }
    if (character === "p" || character === "P") {
      return this.#property(character === "P");
    }
    if (character === "x") {
      return this.#hex(2);
    }
    if (character === "u") {
      return this.#unicodeEscape();
    }
    if (character === "c" && /[A-Za-z]/.test(this.#peek() ?? "")) {
      return this.#next().charCodeAt(0) % 32;
    }
    return CONTROL_ESCAPES.get(character) ?? character.codePointAt(0)!;
  }

  #unicodeEscape(): number {
    if (this.#take("{")) {
      let digits = "";
      for (let character = this.#next(); character !== "}"; character = this.#next()) {
        digits += character;
      }
      return this.#codePoint(digits);
    }
    const unit = this.#hex(4);
    const low = this.#characters.slice(this.#position, this.#position + 6).join("");
    if (unit >= 0xd800 && unit <= 0xdbff && /^\\u[dD][c-fC-F][\da-fA-F]{2}$/.test(low)) {
      this.#position += 6;
      return 0x10000 + ((unit - 0xd800) << 10) + Number.parseInt(low.slice(2), 16) - 0xdc00;
    }
    return unit;
  }

  #hex(length: number): number {
    let digits = "";
    while (digits.length < length) {
      digits += this.#next();
    }
    return this.#codePoint(digits);
  }

  #codePoint(digits: string): number {
    const value = /^[\da-fA-F]{1,8}$/.test(digits) ? Number.parseInt(digits, 16) : Number.NaN;
    if (!(value <= MAX_CODE_POINT)) {
      throw this.#error("malformed hexadecimal escape");
    }
    return value;
  }

  /** A property such as `\p{L}`: the engine's own tables, asked about one code point at a time. */
  #property(negated: boolean): CharacterSet {
    let name = this.#next();
    while (name.startsWith("{") && !name.endsWith("}")) {
      name += this.#next();
    }
    if (!/^\{[A-Za-z_]+(=[A-Za-z_]+)?\}$/.test(name)) {
      throw this.#error("malformed property escape");
    }
    try {
      const expression = new RegExp(`^\\p${name}$`, "u");
      return { ranges: [{ accepts: (point) => expression.test(String.fromCodePoint(point)) }], negated };
    } catch {
      throw this.#error(`unknown property ${name}`);
    }
  }

  #class(): CharacterSet {
    const negated = this.#take("^");
    const ranges: CharacterRange[] = [];
    while (!this.#take("]")) {
      const low = this.#classMember();
      const isRange = typeof low === "number" && this.#peek() === "-" && this.#peek(1) !== "]";
      if (!isRange) {
        ranges.push(typeof low === "number" ? { low, high: low } : toRange(low));
        continue;
      }
      this.#position++;
      const high = this.#classMember();
      if (typeof high !== "number" || high < low) {
        throw this.#error("malformed range in a character class");
      }
      ranges.push({ low, high });
    }
    return { ranges, negated };
  }

  #classMember(): number | CharacterSet {
    const character = this.#next();
    if (character !== "\\") {
      return character.codePointAt(0)!;
    }
    return this.#take("b") ? 8 : this.#escapedSet();
  }

  #quantified(item: PatternNode): PatternNode {
    const bounds = this.#quantifier();
    if (bounds === undefined) {
      return item;
    }
    this.#take("?");
    if (item.kind === "assertion") {
      throw this.#error("an assertion cannot be repeated");
    }
    return { kind: "repeat", item, ...bounds };
  }

  #quantifier(): { min: number; max: number } | undefined {
    if (this.#take("*")) {
      return { min: 0, max: Number.POSITIVE_INFINITY };
    }
    if (this.#take("+")) {
      return { min: 1, max: Number.POSITIVE_INFINITY };
    }
    if (this.#take("?")) {
      return { min: 0, max: 1 };
    }
    if (!this.#take("{")) {
      return undefined;
    }
    let text = "";
    for (let character = this.#next(); character !== "}"; character = this.#next()) {
      text += character;
    }
    const match = /^(\d{1,9})(,(\d{1,9})?)?$/.exec(text);
    if (match === null) {
      throw this.#error("malformed repetition");
    }
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] === undefined ? Number.POSITIVE_INFINITY : Number(match[3]);
    if (max < min) {
      throw this.#error(`repetition {${text}} must not end below its start`);
    }
    return { min, max };
  }

  #peek(ahead = 0): string | undefined {
    return this.#characters[this.#position + ahead];
  }

  #take(character: string): boolean {
    const taken = this.#peek() === character;
    this.#position += taken ? 1 : 0;
    return taken;
  }

  #next(): string {
    const character = this.#characters[this.#position++];
    if (character === undefined) {
      throw this.#error("the pattern ends too soon");
    }
    return character;
  }

  #error(reason: string): PatternError {
    return new PatternError(`${reason} (pattern, offset ${this.#position})`);
  }
}

function literal(codePoint: number): PatternNode {
  return { kind: "set", set: { ranges: [{ low: codePoint, high: codePoint }], negated: false } };
}

function toRange(set: CharacterSet): CharacterRange {
  return { accepts: (codePoint) => hasCodePoint(set, codePoint) };
}
