import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonPath, JsonTemplate } from "../../src/providers/json-template.ts";

const TEXT: JsonPath = ["list", 0, "text"];
const PADDING: JsonPath = ["padding"];

const templateOf = (text: string, others: readonly JsonPath[] = [PADDING]) =>
  JsonTemplate.of(text, JSON.parse(text), TEXT, others);

const event = (text: string, padding?: string, more: object = {}) =>
  JSON.stringify({ id: "x", list: [{ text, at: 0 }], ...(padding === undefined ? {} : { padding }), ...more });

describe("JsonTemplate", () => {
  it.each([
    ["a text", event("Hello"), event("you"), "you"],
    ["no text", event("Hello"), event(""), ""],
    ["what is not in ASCII", event("Hello"), event("é😀"), "é😀"],
    ["a padding behind it", event("Hello", "aa"), event("you", "bbbb"), "you"],
    ["a padding before it", '{"padding":"a","list":[{"text":"b"}]}', '{"padding":"","list":[{"text":"c"}]}', "c"],
    ["a comma", event("Hello"), event(","), ","],
    ["blanks around it", '{"list": [ {"text" :\n"a" } ] }', '{"list": [ {"text" :\n"b" } ] }', "b"],
  ])("reads %s", (_what, first, next, text) => {
    expect(templateOf(first)?.stringOf(next)).toBe(text);
  });

  it.each([
    ["is another text altogether", "[DONE]"],
    ["has an escape", event("a\nb")],
    ["has a quote", event('a"b')],
    ["has an escape in its padding", event("a", "\\")],
    ["has a letter that JSON does not allow", event("a").replace('"a"', '"\u0001"')],
    ["differs in something else", event("a", "p", { more: 1 })],
    ["has no padding", event("a")],
    ["has more behind it", `${event("a", "p")} `],
    ["is cut", event("a", "p").slice(0, -1)],
    ["is cut in the text", '{"id":"x","list":[{"text":"a'],
  ])("leaves a text to others that %s", (_what, text) => {
    expect(templateOf(event("Hello", "pp"))?.stringOf(text)).toBeUndefined();
  });

  it.each([
    ["has no such string", '{"list":[]}'],
    ["has something else there", event(1 as never)],
    ["has an escape in it", event("a\n")],
    ["has an escape in its padding", event("a", "\\")],
    ["has the same string elsewhere", event("x")],
    ["has the same string as its padding", event("a", "a")],
    ["writes it by escapes, and something else with its letters", '{"a":"b","list":[{"text":"\\u003a"}]}'],
    ["writes it by escapes, and has it as a key", '{"Hello":1,"list":[{"text":"Hell\\u006f"}]}'],
    ["has the key twice", '{"list":[{"text":"a","text":"\\u0061"}]}'],
    ["ends the strings around a comma", '{"a":["b","c"],"list":[{"text":"\\u002c"}]}'],
  ])("is none of a text that %s", (_what, text) => {
    expect(templateOf(text)).toBeUndefined();
  });

  it("reads what JSON.parse reads, or nothing", () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(",", ":", "\n", '"', "\\", "}", '","', "x"));
    const padding = fc.option(text, { nil: undefined });
    fc.assert(
      fc.property(text, padding, text, padding, (first, firstPadding, next, nextPadding) => {
        const template = templateOf(event(first, firstPadding));
        const read = template?.stringOf(event(next, nextPadding));
        if (read !== undefined) expect(read).toBe(JSON.parse(event(next, nextPadding)).list[0].text);
        // What is plain is always read.
        const isPlain = [first, firstPadding, next, nextPadding].every((it) => /^[a-w ]*$/.test(it ?? ""));
        const isLike = (firstPadding === undefined) === (nextPadding === undefined);
        const isUnique =
          first !== firstPadding &&
          ![first, firstPadding].includes("id") &&
          !["list", "text", "at", "padding"].includes(first);
        if (isPlain && isLike && isUnique && first !== "" && firstPadding !== "") expect(read).toBe(next);
      }),
    );
  });
});
