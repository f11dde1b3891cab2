import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutLongTexts } from "../../src/openai-json/long-texts.ts";
import { parseJson, parseLargeJson } from "../../src/openai-json/parse.ts";
import { textOf } from "../../src/openai-json/source-text.ts";

const bytesOf = (value: unknown): Uint8Array => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

const base64 = (bytes: number): string => randomBytes(bytes).toString("base64");
/** One whose length is so many characters. */
const image = (length: number): string => `data:image/png;base64,${base64(length)}`;

/** What parseJson returns, or throws. */
function outcomeOf(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes);
  } catch (error) {
    return error;
  }
}

const cutCount = async (value: unknown): Promise<number> => (await cutLongTexts(bytesOf(value)))?.texts.length ?? 0;

describe("parseLargeJson()", () => {
  it.each([
    ["one image", { image: image(100_000) }, 1],
    ["images, one behind the other", [image(50_000), base64(60_000), image(90_000)], 3],
    ["images among others things", { a: ["é😀", image(70_000)], b: { c: image(70_001), d: 'x\\"\n' }, e: 1.5 }, 2],
    ["a text that is too short", [image(40_000)], 0],
    ["a long text that is not base64", [`${image(70_000)}!`, "a b ".repeat(30_000)], 0],
    ["a long text with an escape", [`${image(70_000)}\n`], 0],
    ["a long text that is not in ASCII", [`${base64(70_000)}é`], 0],
    ["a key that is long", { [base64(70_000)]: 1 }, 1],
    ["a key and an image", { [base64(70_000)]: image(70_000) }, 2],
    ["a text that ends with base64", [`"${base64(70_000)}`], 1],
    ["a text that looks like a hole", ["00000000-0000-4000-8000-000000000000 0", image(70_000)], 1],
  ])("reads %s", async (_what, value, cut) => {
    expect(await cutCount(value)).toBe(cut);
    expect(await parseLargeJson(bytesOf(value))).toEqual(value);
  });

  it("keeps the digits of numbers beside an image", async () => {
    const json = `{"schema":{"most":12345678901234567890,"image":"${image(70_000)}"}}`;
    const value = (await parseLargeJson(bytesOf(json), { exactKeys: new Set(["schema"]) })) as Record<string, never>;
    expect(`{"schema":${textOf(value["schema"] as never)}}`).toBe(json);
  });

  it("reads a byte order mark", async () => {
    const value = ["é", image(70_000)];
    expect(await parseLargeJson(bytesOf(`\ufeff${JSON.stringify(value)}`))).toEqual(value);
  });

  it.each([
    ["is cut", (json: string) => json.slice(0, -1)],
    ["is cut in the image", (json: string) => json.slice(0, -30)],
    ["has no quote before the image", (json: string) => json.replace('"data:', "data:")],
    ["has letters between two strings", (json: string) => json.replace('"data:', '"a"data:').replace('"]', '"b"]')],
    ["has a key twice", (json: string) => json.replace("[", '[{"a":1,"a":2},')],
    ["has a number that is too large", (json: string) => json.replace("[", "[1e999,")],
    ["has a key that is not allowed", (json: string) => json.replace("[", '[{"__proto__":1},')],
    ["has half of a pair of surrogates", (json: string) => json.replace("[", '["\\ud83d",')],
    ["is no UTF-8", (json: string) => Buffer.concat([Buffer.from([0xff]), Buffer.from(json)])],
  ])("refuses, as it does without images, what %s", async (_what, change) => {
    const changed = change(`\n[ "x",\n "${image(70_000)}"]`);
    const bytes = typeof changed === "string" ? bytesOf(changed) : changed;
    const plainly = outcomeOf(bytes);
    expect(plainly).toBeInstanceOf(Error);
    await expect(parseLargeJson(bytes)).rejects.toEqual(plainly);
  });

  it("reads what parseJson reads", async () => {
    const long = fc.constantFrom(
      base64(49_152),
      image(50_001),
      `${base64(60_000)}=`,
      base64(49_149),
      "A".repeat(65_536),
    );
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        { weight: 2, arbitrary: long },
        fc.string(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(fc.oneof({ weight: 5, arbitrary: fc.string() }, long), tie("value"), { maxKeys: 4 }),
      ),
    })).value;
    await fc.assert(
      fc.asyncProperty(json, async (value) => {
        const bytes = bytesOf(value);
        const read = await parseLargeJson(bytes).catch((error: unknown) => error);
        expect(read).toEqual(outcomeOf(bytes));
      }),
      { numRuns: 50 },
    );
  });
});
