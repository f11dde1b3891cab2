import { describe, expect, it } from "vitest";
import { mayUse } from "../../src/admission/model-patterns.ts";

describe("mayUse()", () => {
  it.each<[patterns: string[], name: string, may: boolean]>([
    [[], "openai/gpt-5.2", true],
    [["openai/gpt-5.2"], "openai/gpt-5.2", true],
    [["openai/gpt-5.2"], "openai/gpt-5x2", false],
    [["openai/gpt-5"], "openai/gpt-5.2", false],
    [["gpt-5.2"], "openai/gpt-5.2", false],
    [["OpenAI/*"], "openai/gpt-5.2", false],
    [["openai/*"], "openai/gpt-5.2", true],
    [["openai/*"], "openai/", true],
    [["openai/*"], "openai", false],
    [["*"], "", true],
    [["*"], "a\nb", true],
    [["**"], "anything", true],
    [["*mini"], "openai/gpt-4o-mini", true],
    [["*mini"], "openai/gpt-4o-mini-2", false],
    [["*/gpt-*-mini"], "openai/gpt-4o-mini", true],
    [["*/gpt-*-mini"], "openai/gpt-mini", false],
    [["ab*ba"], "aba", false],
    [["ab*ba"], "abba", true],
    [["a*b*c"], "abbc", true],
    [["a*b*c"], "acb", false],
    [["a*aab*c"], "aaaabc", true],
    [["*abab*abc"], "ababbc", false],
    [["*abab*abc"], "ababxabc", true],
    [["a.c"], "abc", false],
    [["[a]?(b)"], "[a]?(b)", true],
    [["no", "yes/*"], "yes/1", true],
    [["no", "yes/*"], "maybe", false],
    [["🙂*"], "🙂/x", true],
  ])("%j lets %j be used: %j", (patterns, name, may) => {
    expect(mayUse(patterns, name)).toBe(may);
  });

  it("says what a slow and plain matcher says", () => {
    const letters = ["a", "b", "*"];
    const textsOf = (alphabet: readonly string[], length: number): string[] =>
      length === 0 ? [""] : textsOf(alphabet, length - 1).flatMap((text) => alphabet.map((letter) => text + letter));
    const names = [0, 1, 2, 3, 4, 5, 6].flatMap((length) => textsOf(["a", "b"], length));
    const wrong = [0, 1, 2, 3, 4, 5]
      .flatMap((length) => textsOf(letters, length))
      .flatMap((pattern) => {
        const plain = new RegExp(`^${pattern.replaceAll("*", ".*")}$`);
        const patterns = [pattern];
        return names.filter((name) => mayUse(patterns, name) !== plain.test(name)).map((name) => [pattern, name]);
      });
    expect(wrong).toEqual([]);
  });

  it("takes hostile patterns and names that would keep a matcher that goes back busy for ages", () => {
    const name = "a".repeat(1_000_000);
    const patterns = [`${"*a".repeat(200)}*b*c`, `*${"a".repeat(255)}b*${"a".repeat(255)}`];
    expect(mayUse(patterns, name)).toBe(false);
  });
});
