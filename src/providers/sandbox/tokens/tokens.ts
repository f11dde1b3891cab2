import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { O200K_TOKEN_SPLIT_REGEX } from "gpt-tokenizer/encodingParams/constants";
import { LRUCache } from "lru-cache";
import { createBytePairMerger } from "./byte-pair.ts";
import { parseTokenRanks } from "./ranks.ts";

/*
 * Tokens of the encoding o200k_base. Vocabulary and split pattern are gpt-tokenizer's; the merging is ours, because
 * the package's takes quadratic time for a long word, throws at "<|endoftext|>", keeps the texts that it has seen without
 * a bound, and holds 70 MB where this holds 5.
 */

/** How many UTF-16 units are split into words at once; also the longest word that is merged as a whole. */
const SEGMENT_UNITS = 32_768;

/** A place where the split pattern always divides, whatever stands around it: after this match. */
const SAFE_CUT = /[\p{L}\p{N}](?=[^\p{L}\p{N}\p{M}'])|\S(?= )/u;

type Tokenizer = ReturnType<typeof loadTokenizer>;

let loaded: Tokenizer | undefined;

function tokenizer(): Tokenizer {
  loaded ??= loadTokenizer();
  return loaded;
}

function loadTokenizer() {
  const path = createRequire(import.meta.url).resolve("gpt-tokenizer/data/o200k_base.tiktoken");
  const ranks = parseTokenRanks(readFileSync(path));
  return {
    ranks,
    merger: createBytePairMerger(ranks),
    words: new RegExp(O200K_TOKEN_SPLIT_REGEX.source, "gu"),
    bytes: new Uint8Array(SEGMENT_UNITS * 3),
    ends: new Uint32Array(SEGMENT_UNITS * 3),
  };
}

/**
 * The number of o200k_base tokens of a text. Texts of special tokens such as `<|endoftext|>` count as plain text.
 * Exact, except that a single word of more than 32,768 UTF-16 units is counted in parts (one token more a part at the
 * most). Takes time proportional to the length.
 */
export function countTokens(text: string): number {
  if (text === "") return 0;
  return text.length > LONGEST_KEPT ? countAnew(text) : (counted.get(text) ?? counted.memo(text));
}

/** A conversation comes again with each of its turns, so the counts of its messages are kept; of long ones, the time is not in the looking up. */
const LONGEST_KEPT = 4_096;
const counted = new LRUCache<string, number>({
  maxSize: 1024 * 1024,
  sizeCalculation: (_count, text) => text.length,
  memoMethod: countAnew,
});

function countAnew(text: string): number {
  let total = 0;
  forEachWord(text, (_start, _end, count) => {
    total += count;
    return true;
  });
  return total;
}

/** A piece of a text as a model would stream it: the least number of tokens that are whole characters. */
export interface Piece {
  readonly text: string;
  /**
   * The bytes of its tokens, where characters are divided among several; unset: it is one token. In a piece that a limit cut,
   * they hold more than the text: the beginning of a character that is not said.
   */
  readonly parts?: readonly Uint8Array[];
}

/** The first tokens of a text. */
export interface SplitText {
  readonly pieces: readonly Piece[];
  /** Whether the text has more tokens than that. */
  readonly isCut: boolean;
}

/** The first tokens of a text, `most` of them at the most; the time is that of these tokens, not of the text. */
export function splitTokens(text: string, most = Number.POSITIVE_INFINITY): SplitText {
  const pieces: Piece[] = [];
  let left = most;
  forEachWord(text, (start, end, count) => {
    addPieces(pieces, text, start, end, Math.min(count, left));
    left -= count;
    return left >= 0;
  });
  return { pieces, isCut: left < 0 };
}

/** The beginning of a text, as far as a limit lets it go. */
export interface LimitedText {
  readonly text: string;
  /** How many tokens it has. */
  readonly tokens: number;
  /** Whether the limit cut it. */
  readonly isCut: boolean;
  /** The same in tokens. */
  readonly pieces: readonly Piece[];
}

/** The first tokens of a text, `most` of them at the most. A short text that fits is only counted; it is divided when its pieces are asked for. */
export function limitTokens(text: string, most: number): LimitedText {
  if (text.length <= LONGEST_KEPT) {
    const tokens = countTokens(text);
    if (tokens <= most) return new UncutText(text, tokens);
  }
  const { pieces, isCut } = splitTokens(text, most);
  return { text: pieces.map((piece) => piece.text).join(""), tokens: tokensIn(pieces), isCut, pieces };
}

class UncutText implements LimitedText {
  readonly text: string;
  readonly tokens: number;
  readonly isCut = false;
  #pieces: readonly Piece[] | undefined;

  constructor(text: string, tokens: number) {
    this.text = text;
    this.tokens = tokens;
  }

  get pieces(): readonly Piece[] {
    this.#pieces ??= splitTokens(this.text).pieces;
    return this.#pieces;
  }
}

/** The number of tokens in pieces. */
export const tokensIn = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, { parts }) => sum + (parts?.length ?? 1), 0);

/** Adds the first tokens of the word from `start` to `end`, which `forEachWord` is at. */
function addPieces(pieces: Piece[], text: string, start: number, end: number, tokens: number): void {
  const { ends } = tokenizer();
  let pieceStart = start;
  let pieceToken = 0;
  let unit = start;
  let byte = 0;
  for (let token = 0; token < tokens; token++) {
    const tokenEnd = ends[token]!;
    for (let width = utf8Width(text, unit); unit < end && byte + width <= tokenEnd; width = utf8Width(text, unit)) {
      byte += width;
      unit += width === 4 ? 2 : 1;
    }
    if (byte < tokenEnd && token < tokens - 1) {
      continue;
    }
    const piece = text.slice(pieceStart, unit);
    const isOne = token === pieceToken && byte === tokenEnd;
    pieces.push(isOne ? { text: piece } : { text: piece, parts: partsOf(pieceToken, token) });
    pieceStart = unit;
    pieceToken = token + 1;
  }
}

/** The bytes of some neighbouring tokens of the word that `forEachWord` is at. */
function partsOf(first: number, last: number): Uint8Array[] {
  const { bytes, ends } = tokenizer();
  const starts = [first === 0 ? 0 : ends[first - 1]!, ...ends.subarray(first, last)];
  return starts.map((start, at) => bytes.slice(start, ends[first + at]));
}

/** The id of the token that is exactly this text; undefined when the text takes several tokens, or none. */
export function tokenId(piece: string): number | undefined {
  if (piece.length === 0 || piece.length > SEGMENT_UNITS) {
    return undefined;
  }
  const { ranks, bytes } = tokenizer();
  const id = ranks.rank(bytes, 0, writeUtf8(piece, 0, piece.length, bytes));
  return id === -1 ? undefined : id;
}

/**
 * Calls `visit` for every word with its place in the text and its number of tokens, whose ends are then in `ends`, and its
 * bytes in `bytes`; until it returns false.
 */
function forEachWord(text: string, visit: (start: number, end: number, count: number) => boolean): void {
  const { ranks, merger, words, bytes, ends } = tokenizer();
  for (let offset = 0; offset < text.length; ) {
    const segmentEnd = findSegmentEnd(text, offset);
    const segment = text.slice(offset, segmentEnd);
    words.lastIndex = 0;
    // Every character belongs to some word, so each word starts where the one before it ended.
    for (let start = 0; words.test(segment); start = words.lastIndex) {
      const length = writeUtf8(segment, start, words.lastIndex, bytes);
      ends[0] = length;
      const count = ranks.rank(bytes, 0, length) === -1 ? merger.merge(bytes, length, ends) : 1;
      if (!visit(offset + start, offset + words.lastIndex, count)) {
        return;
      }
    }
    offset = segmentEnd;
  }
}

/** Where to cut a text that goes on: at a place that changes no token if there is one, never inside a character. */
function findSegmentEnd(text: string, start: number): number {
  const limit = start + SEGMENT_UNITS;
  if (limit >= text.length) {
    return text.length;
  }
  const windowStart = start + SEGMENT_UNITS / 2;
  const cut = SAFE_CUT.exec(text.slice(windowStart, limit));
  if (cut !== null) {
    return windowStart + cut.index + cut[0].length;
  }
  return utf8Width(text, limit - 1) === 4 ? limit - 1 : limit;
}

/** The UTF-8 bytes of the character at `index`: 4 for a surrogate pair, and 3 for half of one (it becomes U+FFFD). */
function utf8Width(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  if (unit < 0x80) {
    return 1;
  }
  if (unit < 0x800) {
    return 2;
  }
  return text.codePointAt(index)! > 0xffff ? 4 : 3;
}

/** Writes a range of a text as UTF-8 and returns the number of bytes. */
function writeUtf8(text: string, start: number, end: number, bytes: Uint8Array): number {
  let length = 0;
  for (let index = start; index < end; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) {
      bytes[length++] = unit;
    } else if (unit < 0x800) {
      bytes[length++] = 0xc0 | (unit >> 6);
      bytes[length++] = 0x80 | (unit & 63);
    } else if ((unit & 0xf800) !== 0xd800) {
      length = writeThree(unit, bytes, length);
    } else if (utf8Width(text, index) === 4) {
      const point = text.codePointAt(index++)!;
      bytes[length++] = 0xf0 | (point >> 18);
      bytes[length++] = 0x80 | ((point >> 12) & 63);
      bytes[length++] = 0x80 | ((point >> 6) & 63);
      bytes[length++] = 0x80 | (point & 63);
    } else {
      length = writeThree(0xfffd, bytes, length);
    }
  }
  return length;
}

function writeThree(unit: number, bytes: Uint8Array, length: number): number {
  bytes[length] = 0xe0 | (unit >> 12);
  bytes[length + 1] = 0x80 | ((unit >> 6) & 63);
  bytes[length + 2] = 0x80 | (unit & 63);
  return length + 3;
}
