import { describe, expect, it } from "vitest";
import { remove } from "../../src/lib/remove.ts";

describe("remove()", () => {
  it.each([
    ["the first", "a", ["b", "c"]],
    ["the last", "c", ["a", "b"]],
    ["what is not there", "d", ["a", "b", "c"]],
  ])("takes out %s", (_which, item, left) => {
    const list = ["a", "b", "c"];
    remove(list, item);
    expect(list.sort()).toEqual(left);
  });
});
