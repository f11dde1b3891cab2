/** The vocabulary of a byte-pair encoding: which byte sequences are tokens, and their ranks. */
export interface TokenRanks {
  /** The number of tokens. */
  readonly size: number;
  /** The rank (which is also the token's id) of exactly the bytes from `start` to `end`, or -1 when they are no token. */
  rank(bytes: Uint8Array, start: number, end: number): number;
}

const NEWLINE = 10;
const SPACE = 32;
const PADDING = 61;
const BASE64_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * Reads a vocabulary in tiktoken's text format: a line per token in the order of rank, base64 of its bytes, a space and
 * the rank. Throws when a rank is out of order.
 *
 * All tokens lie in one array of bytes behind an open-addressed hash table of their ranks: for the 200,000 tokens of
 * o200k_base that is 5 MB and no object per token, where maps of strings take 20 MB and more.
 */
export function parseTokenRanks(file: Uint8Array): TokenRanks {
  const { bytes: arena, offsets } = decodeLines(file);
  const size = offsets.length - 1;
  // At most half full, so that a search for what is no token ends soon.
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(size * 2 + 1))).fill(-1);
  const mask = slots.length - 1;
  for (let rank = 0; rank < size; rank++) {
    let slot = hashBytes(arena, offsets[rank]!, offsets[rank + 1]!) & mask;
    while (slots[slot] !== -1) {
      slot = (slot + 1) & mask;
    }
    slots[slot] = rank;
  }

  function rank(bytes: Uint8Array, start: number, end: number): number {
    let slot = hashBytes(bytes, start, end) & mask;
    for (;;) {
      const found = slots[slot]!;
      if (found === -1 || isToken(found, bytes, start, end)) {
        return found;
      }
      slot = (slot + 1) & mask;
    }
  }
  function isToken(candidate: number, bytes: Uint8Array, start: number, end: number): boolean {
    const offset = offsets[candidate]!;
    if (offsets[candidate + 1]! - offset !== end - start) {
      return false;
    }
    for (let index = start; index < end; index++) {
      if (bytes[index] !== arena[offset + index - start]) {
        return false;
      }
    }
    return true;
  }
  return { size, rank };
}

/** FNV-1a over a range, with the high bits folded into the low ones, which choose the slot. */
function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let index = start; index < end; index++) {
    hash = Math.imul(hash ^ bytes[index]!, 0x01000193);
  }
  return hash ^ (hash >>> 15);
}

/** The bytes of all tokens one after the other; token `i` is from `offsets[i]` to `offsets[i + 1]`. */
function decodeLines(file: Uint8Array): { bytes: Uint8Array; offsets: Uint32Array } {
  const digits = new Uint8Array(128);
  for (let value = 0; value < BASE64_DIGITS.length; value++) {
    digits[BASE64_DIGITS.charCodeAt(value)] = value;
  }
  const bytes = new Uint8Array(file.length);
  const offsets: number[] = [0];
  let length = 0;
  let position = 0;
  while (position < file.length) {
    let bits = 0;
    let bitCount = 0;
    for (; file[position] !== SPACE && position < file.length; position++) {
      if (file[position] !== PADDING) {
        bits = ((bits << 6) | digits[file[position]! & 127]!) & 0xffff;
        bitCount += 6;
      }
      if (bitCount >= 8) {
        bitCount -= 8;
        bytes[length++] = bits >>> bitCount;
      }
    }
    let rank = 0;
    for (position++; file[position] !== NEWLINE && position < file.length; position++) {
      rank = rank * 10 + file[position]! - 48;
    }
    position++;
    if (rank !== offsets.length - 1) {
      throw new Error(
        `line ${offsets.length} of the vocabulary has rank ${rank}, but lines must be in the order of rank`,
      );
    }
    offsets.push(length);
  }
  return { bytes: bytes.slice(0, length), offsets: Uint32Array.from(offsets) };
}
