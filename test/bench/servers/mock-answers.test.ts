import { createParser } from "eventsource-parser";
import { describe, expect, it } from "vitest";
import { stamp } from "../load/mark.ts";
import { COMPLETION, type Family, partsOf, shapeOf, wordsOf } from "./mock-answers.ts";

/** What the events of a stream of two chunks say. */
function readEvents(family: Family): unknown[] {
  const { opening, before, after, ending } = partsOf(family);
  const stream = opening + before + stamp(1) + after + before + stamp(2) + after + ending;
  const events: unknown[] = [];
  const parser = createParser({ onEvent: ({ data }) => events.push(data === "[DONE]" ? data : JSON.parse(data)) });
  parser.feed(decodeChunked(stream.slice(stream.indexOf("\r\n\r\n") + 4)));
  return events;
}

/** The body of what is coded in chunks; throws where a size is not what follows it. */
function decodeChunked(coded: string): string {
  const end = coded.indexOf("\r\n");
  const size = Number.parseInt(coded.slice(0, end), 16);
  const data = coded.slice(end + 2, end + 2 + size);
  const rest = coded.slice(end + 2 + size);
  if (!rest.startsWith("\r\n")) throw new Error(`a chunk is not ${size} bytes long`);
  return size === 0 ? "" : data + decodeChunked(rest.slice(2));
}

describe("partsOf()", () => {
  it("makes streams of OpenAI's form, of about 250 bytes a chunk", () => {
    const events = readEvents("openai");
    const deltas = events.slice(0, 4).map((event) => (event as { choices: { delta: object }[] }).choices[0]?.delta);
    expect(deltas.slice(1)).toEqual([{ content: ` ${stamp(1)}` }, { content: ` ${stamp(2)}` }, {}]);
    expect(events.slice(4)).toMatchObject([{ choices: [], usage: { total_tokens: 540 } }, "[DONE]"]);
    const { before, after } = partsOf("openai");
    expect(Math.abs((before + stamp(1) + after).length - 250)).toBeLessThan(25);
  });

  it("makes streams of Anthropic's form", () => {
    expect(readEvents("anthropic")).toMatchObject([
      { type: "message_start" },
      { type: "content_block_start" },
      { delta: { text: ` ${stamp(1)}` } },
      { delta: { text: ` ${stamp(2)}` } },
      { type: "content_block_stop" },
      { type: "message_delta", delta: { stop_reason: "end_turn" } },
      { type: "message_stop" },
    ]);
  });

  it("makes streams of Google's form", () => {
    const candidates = readEvents("google").map((event) => (event as { candidates: object[] }).candidates[0]);
    expect(candidates).toMatchObject([
      { content: { parts: [{ text: ` ${stamp(1)}` }] } },
      { content: { parts: [{ text: ` ${stamp(2)}` }] } },
      { finishReason: "STOP" },
    ]);
  });
});

describe("shapeOf()", () => {
  it("reads the stream that a request asks for", () => {
    const shape = { chunks: 100, delayMs: 20 };
    expect(shapeOf(JSON.stringify({ content: `${wordsOf(shape)} Be exact.` }))).toEqual(shape);
    expect(shapeOf(JSON.stringify({ content: "Be exact." }))).toBeUndefined();
  });
});

describe("COMPLETION", () => {
  it("has a body of 1 kB, whose length its head tells", () => {
    const [head = "", body = ""] = COMPLETION.toString().split("\r\n\r\n");
    expect(head).toContain(`content-length: ${Buffer.byteLength(body)}`);
    expect(Math.abs(body.length - 1024)).toBeLessThan(64);
    expect(JSON.parse(body)).toMatchObject({ object: "chat.completion" });
  });
});
