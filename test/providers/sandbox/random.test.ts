import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../../src/providers/sandbox/random.ts";

function draw(seed: string, count: number): number[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => random.int(1000));
}

describe("createRandom()", () => {
  it.each([
    ["", [273, 417, 194, 206, 863, 145]],
    ["42", [110, 91, 803, 280, 841, 632]],
    ["parley ☂", [128, 615, 406, 292, 831, 554]],
  ])("gives the sequence of seed %j, on every machine", (seed, sequence) => {
    expect(draw(seed, 6)).toEqual(sequence);
  });

  it("gives unrelated sequences to seeds that differ a little", () => {
    const sequences = ["a", "b", "aa", "A", "a "].map((seed) => draw(seed, 4).join());
    expect(new Set(sequences).size).toBe(5);
  });

  it("spreads evenly over the range, from 0 to below 1", () => {
    const random = createRandom("even");
    const counts = Array<number>(10).fill(0);
    for (let round = 0; round < 10_000; round++) {
      const value = random.next();
      expect(value >= 0 && value < 1).toBe(true);
      counts[Math.floor(value * 10)]! += 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(900);
    expect(Math.max(...counts)).toBeLessThan(1100);
  });

  it("picks items of the list", () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.integer(), { minLength: 1 }), (seed, items) => {
        expect(items).toContain(createRandom(seed).pick(items));
      }),
    );
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 32 + 1])("rejects the limit %d", (limit) => {
    expect(() => createRandom("1").int(limit)).toThrow(`limit ${limit} must be a whole number from 1 to 4294967296`);
  });

  it("rejects picking from nothing", () => {
    expect(() => createRandom("1").pick([])).toThrow("there is nothing to pick from");
  });
});
