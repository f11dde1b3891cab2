import { describe, expect, it } from "vitest";
import { createKeyRing, keysReadyAt, pickKey } from "../../src/routing/key-ring.ts";

const NOW = 1_000;

describe("createKeyRing()", () => {
  it.each([
    [0, 1],
    [1, 1],
    [3, 3],
  ])("has of %i keys %i, because no key is one, too", (credentials, size) => {
    expect(createKeyRing(credentials).size).toBe(size);
  });

  it("lets rest here what rests beneath, but not the other way round", () => {
    const beneath = createKeyRing(2);
    const ring = createKeyRing(2, beneath);
    beneath.rest(0, 50);
    ring.rest(1, 70);
    expect([ring.restsUntil(0), ring.restsUntil(1)]).toEqual([50, 70]);
    expect([beneath.restsUntil(0), beneath.restsUntil(1)]).toEqual([50, 0]);
  });

  it("does not wake a key because a shorter rest is asked for", () => {
    const ring = createKeyRing(1);
    ring.rest(0, 90);
    ring.rest(0, 40);
    expect(ring.restsUntil(0)).toBe(90);
  });
});

describe("pickKey(), keysReadyAt()", () => {
  it.each([
    ["the first one", [0, 0], 0, 0],
    ["the first that does not rest", [NOW + 5, 0, 0], 1, 0],
    ["one whose rest is over", [NOW + 5, NOW], 1, 0],
    ["the one that rests for the shortest time", [NOW + 9, NOW + 4, NOW + 6], 1, NOW + 4],
    ["the first of two that rest equally long", [NOW + 4, NOW + 4], 0, NOW + 4],
    ["the only one, also when it rests", [NOW + 4], 0, NOW + 4],
  ])("take %s", (_what, rests, key, readyAt) => {
    const ring = createKeyRing(rests.length);
    for (const [at, until] of rests.entries()) ring.rest(at, until);
    expect([pickKey(ring, NOW), keysReadyAt(ring, NOW)]).toEqual([key, readyAt]);
  });
});
