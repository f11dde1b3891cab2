/** Usage, limits and log probabilities over the wire, held against another implementation of the encoding. */
import { decode, encode } from "gpt-tokenizer/encoding/o200k_base";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { post, readAnswer, readChunks, textOf } from "../../reference/support/call.ts";
import { startTestGateway, type TestGateway } from "../../support/gateway.ts";

interface Token {
  readonly token: string;
  readonly bytes: number[];
  readonly top_logprobs: { readonly token: string; readonly bytes: number[] }[];
}
interface Answer {
  readonly choices: {
    readonly message: { readonly content: string };
    readonly finish_reason: string;
    readonly logprobs: { readonly content: Token[] };
  }[];
  readonly usage: { readonly completion_tokens: number };
}

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

const call = (content: string, more: object) =>
  post(
    `${gateway.url}/v1/chat/completions`,
    JSON.stringify({ model: "sandbox/echo", messages: [{ role: "user", content }], ...more }),
  );
const bytesOf = (tokens: readonly Token[]): number[] => tokens.flatMap(({ bytes }) => bytes);

const TEXTS = ["Hello, world! Don't stop.", "Grüße 👋🏽, 世界 — 🪿🫠 𝔘𝔫𝔦 ქართული", "ꙮꙮ 🪿🪿 ᚠᛇᚻ"];
const LIMITS = [1, 2, 3, 4, 5, 8, 13, 1000];

describe.each(TEXTS)("the tokens of %j", (text) => {
  const ids = encode(text);

  it.each(LIMITS)("at most %i", async (limit) => {
    const said = ids.slice(0, limit);
    // Of a character that the limit cuts, nothing is said. The reference has U+FFFD there, and before joined characters.
    const whole = limit < ids.length ? decode(said).replaceAll("\ufffd", "") : text;
    const { choices, usage } = await readAnswer<Answer>(await call(text, { max_tokens: limit, logprobs: true }));
    expect(usage.completion_tokens).toBe(said.length);
    expect(choices[0]?.message.content).toBe(whole);
    expect(choices[0]?.finish_reason).toBe(limit < ids.length ? "length" : "stop");
    const tokens = choices[0]?.logprobs.content ?? [];
    expect(tokens).toHaveLength(said.length);
    expect(bytesOf(tokens).slice(0, Buffer.byteLength(whole))).toEqual([...Buffer.from(whole)]);

    const asked = { max_tokens: limit, logprobs: true, stream: true, stream_options: { include_usage: true } };
    const chunks = await readChunks(await call(text, asked));
    expect(textOf(chunks)).toBe(whole);
    expect(chunks.at(-1)?.usage).toMatchObject({ completion_tokens: said.length });
    const streamed = chunks.flatMap((chunk) => (chunk as unknown as Answer).choices[0]?.logprobs?.content ?? []);
    expect(streamed).toEqual(tokens);
  });
});

describe("log probabilities", () => {
  it("write a token that is no text by its bytes", async () => {
    const { choices } = await readAnswer<Answer>(await call("a 🪿", { logprobs: true, top_logprobs: 1 }));
    const tokens = choices[0]?.logprobs.content ?? [];
    expect(tokens.map(({ token }) => token).join("")).toBe("a \\xf0\\x9f\\xaa\\xbf");
    expect(tokens.map((token) => token.top_logprobs[0])).toMatchObject(
      tokens.map(({ token, bytes }) => ({ token, bytes })),
    );
  });
});
