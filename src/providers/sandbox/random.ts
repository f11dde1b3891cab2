/** A reproducible source of choices: what the sandbox uses wherever a real model would sample. */
export interface Random {
  /** The next number in [0, 1), with 32 random bits. */
  next(): number;
  /** The next whole number in [0, limit). `limit` is from 1 to 2^32, otherwise RangeError. */
  int(limit: number): number;
  /** One of the items, all equally likely. RangeError when there are none. */
  pick<T>(items: readonly T[]): T;
}

const WARM_UP_ROUNDS = 12;

/**
 * Makes a generator from a seed text, which is read when the first number is asked for: the same text gives the same sequence on
 * every machine, and texts that differ in one character give unrelated sequences. The generator is sfc32 (Chris Doty-Humphrey, PractRand). Not for secrets.
 */
export function createRandom(seed: string): Random {
  return new Sfc32(seed);
}

class Sfc32 implements Random {
  /** Until it is read. */
  #seed: string | undefined;
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  next(): number {
    if (this.#seed !== undefined) this.#sow(this.#seed);
    return this.#nextWord() / 2 ** 32;
  }

  int(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1 || limit > 2 ** 32) {
      throw new RangeError(`limit ${limit} must be a whole number from 1 to 4294967296`);
    }
    return Math.floor(this.next() * limit);
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("there is nothing to pick from");
    return items[this.int(items.length)] as T;
  }

  #sow(seed: string): void {
    this.#seed = undefined;
    [this.#a, this.#b, this.#c, this.#counter] = seedWords(seed);
    for (let round = 0; round < WARM_UP_ROUNDS; round++) this.#nextWord();
  }

  #nextWord(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}

/** Four 32-bit words of a text: four multiply-and-xor hashes with odd multipliers, each mixed at the end. */
function seedWords(seed: string): [number, number, number, number] {
  let a = 0x243f6a88;
  let b = 0x85a308d3;
  let c = 0x13198a2e;
  let d = 0x03707344;
  for (let index = 0; index < seed.length; index++) {
    const unit = seed.charCodeAt(index);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit, 0x85ebca6b) ^ (a >>> 15);
    c = Math.imul(c ^ unit, 0xc2b2ae35) ^ (b >>> 13);
    d = Math.imul(d ^ unit, 0x27d4eb2f) ^ (c >>> 16);
  }
  return [mix(a ^ d), mix(b ^ a), mix(c ^ b), mix(d ^ seed.length)];
}

/** Lets every bit of a word reach every other one. */
function mix(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x7feb352d);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x846ca68b);
  return mixed ^ (mixed >>> 16);
}
