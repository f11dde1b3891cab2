import { describe, expect, it } from "vitest";
import { eachValue } from "../../src/lib/each-value.ts";

/** Gives these numbers, and notes how it was left. */
function createSource(numbers: readonly number[], fault?: Error) {
  const source = { left: "", values };
  async function* values(): AsyncGenerator<number> {
    source.left = "early";
    try {
      yield* numbers;
      source.left = "at its end";
      if (fault !== undefined) throw fault;
    } finally {
      source.left += ", cleaned up";
    }
  }
  return source;
}

describe("eachValue()", () => {
  it("takes one value after the other, and waits where it has to", async () => {
    const source = createSource([1, 2, 3]);
    const taken: number[] = [];
    await eachValue(source.values(), (value) => {
      if (value !== 2) return void taken.push(value);
      return new Promise((resolve) => setTimeout(resolve, 5)).then(() => void taken.push(value));
    });
    expect([taken, source.left]).toEqual([[1, 2, 3], "at its end, cleaned up"]);
  });

  it.each([
    ["at once", () => fail()],
    ["later", () => Promise.resolve().then(fail)],
  ])("leaves what gives the values when using one fails %s", async (_when, use) => {
    const source = createSource([1, 2, 3]);
    await expect(eachValue(source.values(), use)).rejects.toThrow("of the user");
    expect(source.left).toBe("early, cleaned up");
  });

  it("fails as what gives the values does", async () => {
    const source = createSource([1], new Error("of the source"));
    await expect(eachValue(source.values(), () => undefined)).rejects.toThrow("of the source");
    expect(source.left).toBe("at its end, cleaned up");
  });
});

function fail(): never {
  throw new Error("of the user");
}
