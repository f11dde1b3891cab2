import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { COMMON_IDS, type IdForm, isPortableId, renderId } from "../../src/providers/tool-ids.ts";

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 8);
const NINE: IdForm = { pattern: /^[A-Za-z0-9]{9}$/, strange: /[^A-Za-z0-9]+/g, head: 1, joint: "" };

describe("isPortableId()", () => {
  it.each([
    ["call_abc", true],
    ["toolu_01-X", true],
    ["a".repeat(40), true],
    ["a".repeat(41), false],
    ["functions.Bash:0", false],
    ["a\n", false],
    ["", false],
    [undefined, false],
  ])("%j: %s", (id, expected) => {
    expect(isPortableId(id)).toBe(expected);
  });
});

describe("renderId()", () => {
  it.each([
    ["call_abc", "call_abc"],
    ["functions.Bash:0", `functionsBash0_${hashOf("functions.Bash:0")}`],
    ["a".repeat(41), `${"a".repeat(31)}_${hashOf("a".repeat(41))}`],
    ["::", `call_${hashOf("::")}`],
    ["", `call_${hashOf("")}`],
    ["call_1__thought__c2ln/+=", "call_1"],
    ["a:b__thought__c2ln\nc2ln", `ab_${hashOf("a:b")}`],
  ])("makes %j into %s", (id, expected) => {
    expect(renderId(id, COMMON_IDS)).toBe(expected);
  });

  it.each([
    ["abcDEF123", "abcDEF123"],
    ["call_abc", `c${hashOf("call_abc")}`],
  ])("makes %j into %s where nine characters are wanted", (id, expected) => {
    expect(renderId(id, NINE)).toBe(expected);
  });

  it("makes an id that its form takes, the same one each time, and another one of another id", () => {
    const plain = fc.string({ maxLength: 60 }).filter((id) => !id.includes("__thought__"));
    fc.assert(
      fc.property(plain, plain, (one, other) => {
        const id = renderId(one, COMMON_IDS);
        expect(id).toMatch(COMMON_IDS.pattern);
        expect(renderId(one, COMMON_IDS)).toBe(id);
        expect(renderId(id, COMMON_IDS)).toBe(id);
        expect(renderId(other, COMMON_IDS) === id).toBe(one === other);
      }),
    );
  });
});
