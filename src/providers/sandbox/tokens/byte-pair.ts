import type { TokenRanks } from "./ranks.ts";

/** Turns bytes into tokens by merging neighbours, lowest rank first, leftmost first among equals. */
export interface BytePairMerger {
  /**
   * Merges `bytes[0..length)` and writes where each token ends into `ends` (which needs room for `length` entries).
   * Returns the number of tokens. `length` is at most `MAX_MERGE_BYTES`.
   */
  merge(bytes: Uint8Array, length: number, ends: Uint32Array): number;
}

/** The longest run of bytes that one merge takes. */
export const MAX_MERGE_BYTES = 2 ** 17;

/**
 * Makes a merger over a vocabulary. Candidates wait in a heap, so that n bytes cost n·log n; the usual loop that looks
 * for the lowest rank again after each merge costs n², which a long word without spaces turns into minutes.
 */
export function createBytePairMerger(ranks: TokenRanks): BytePairMerger {
  let capacity = 0;
  // A part is named by its first byte. `next` and `previous` chain the parts; `pending` is the rank that joining a
  // part with the next one would have, or -1.
  let next = new Int32Array(0);
  let previous = new Int32Array(0);
  let pending = new Int32Array(0);
  // A heap of rank · MAX_MERGE_BYTES + part: numbers that sort as (rank, position).
  let heap = new Float64Array(0);
  let heapSize = 0;

  function reserve(length: number): void {
    if (length > capacity) {
      capacity = 2 ** Math.ceil(Math.log2(Math.max(length, 64)));
      next = new Int32Array(capacity);
      previous = new Int32Array(capacity);
      pending = new Int32Array(capacity);
      // Each of fewer than `length` merges adds two candidates to the first `length`.
      heap = new Float64Array(capacity * 3);
    }
  }

  function push(key: number): void {
    let index = heapSize++;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (heap[parent]! <= key) {
        break;
      }
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = key;
  }

  function pop(): number {
    const top = heap[0]!;
    const key = heap[--heapSize]!;
    let index = 0;
    for (let child = 1; child < heapSize; child = index * 2 + 1) {
      if (child + 1 < heapSize && heap[child + 1]! < heap[child]!) {
        child++;
      }
      if (heap[child]! >= key) {
        break;
      }
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = key;
    return top;
  }

  /** Puts the pair that starts at `part` among the candidates, if it is a token. */
  function propose(bytes: Uint8Array, length: number, part: number): void {
    const middle = next[part]!;
    const rank = middle < length ? ranks.rank(bytes, part, next[middle]!) : -1;
    pending[part] = rank;
    if (rank !== -1) {
      push(rank * MAX_MERGE_BYTES + part);
    }
  }

  function merge(bytes: Uint8Array, length: number, ends: Uint32Array): number {
    reserve(length);
    heapSize = 0;
    for (let part = 0; part < length; part++) {
      next[part] = part + 1;
      previous[part] = part - 1;
    }
    for (let part = 0; part < length; part++) {
      propose(bytes, length, part);
    }
    while (heapSize > 0) {
      const key = pop();
      const part = key % MAX_MERGE_BYTES;
      // A candidate whose parts have changed since is out of date: the same part with the same rank is the same bytes.
      if (pending[part] !== (key - part) / MAX_MERGE_BYTES) {
        continue;
      }
      const swallowed = next[part]!;
      pending[swallowed] = -1;
      next[part] = next[swallowed]!;
      if (next[part]! < length) {
        previous[next[part]!] = part;
      }
      propose(bytes, length, part);
      if (part > 0) {
        propose(bytes, length, previous[part]!);
      }
    }
    let count = 0;
    for (let part = 0; part < length; part = next[part]!) {
      ends[count++] = next[part]!;
    }
    return count;
  }
  return { merge };
}
