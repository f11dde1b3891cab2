/** The cases that break gateways most often, as far as a translator can get them wrong. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ChatCompletionChunkSchema, ChatCompletionSchema } from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import type { ChatCompletionParams } from "../../../src/gen/parley/chat/v1/params_pb.ts";
import { encodeJson } from "../../../src/openai-json/encode.ts";
import type { EventReader } from "../../../src/upstream/event-reader.ts";
import { createJsonReader } from "../../../src/upstream/json-reader.ts";
import { createRecollection } from "../../../src/upstream/recollection.ts";
import { createSseReader } from "../../../src/upstream/sse-reader.ts";
import { fold } from "../../support/fold.ts";
import { bodyOf, encode, errorOf, google, linesOf, paramsOf } from "./support.ts";

const MODEL = "gemini-3-flash-preview";
const TOOLS = { tools: [{ type: "function", function: { name: "w" } }] };
const call = (id: string, args = "{}", name = "w") => ({ id, type: "function", function: { name, arguments: args } });
const contentsOf = (messages: JsonObject[], model = MODEL) =>
  bodyOf({ messages }, model)["contents"] as { role: string; parts: JsonObject[] }[];
const event = (json: JsonValue) => ({ event: undefined, data: JSON.stringify(json) });
const candidate = (more: JsonObject): JsonObject => ({ candidates: [more], responseId: "r", modelVersion: "m" });
const says = (...parts: JsonObject[]): JsonObject => candidate({ content: { parts } });
const STOP = candidate({ finishReason: "STOP" });

function chunksOf(events: readonly JsonValue[], request: JsonObject = {}): JsonObject[] {
  const decoder = encode(request).createStreamDecoder();
  const chunks = events.flatMap((each) => decoder.push(event(each)));
  chunks.push(...decoder.finish());
  return chunks.map((chunk) => encodeJson(ChatCompletionChunkSchema, chunk));
}
const wholeOf = (body: JsonValue, request: JsonObject = {}): JsonObject => {
  const json = encodeJson(ChatCompletionSchema, encode(request).decodeResponse(JSON.stringify(body)));
  return (json["choices"] as JsonObject[])[0] as JsonObject;
};
const deltasOf = (chunks: readonly JsonObject[]) =>
  chunks.flatMap(({ choices }) => (choices as { delta: JsonObject }[]).map(({ delta }) => delta));

describe("Gemini", () => {
  it("edge case 1: empty texts are no parts, and a turn of nothing is none", () => {
    const contents = contentsOf([
      { role: "user", content: " " },
      { role: "assistant", content: "", tool_calls: [call("a")] },
      { role: "tool", tool_call_id: "a", content: "" },
      { role: "assistant", content: [] },
      { role: "user", content: [{ type: "text", text: "" }] },
    ]);
    expect(contents.map(({ role, parts }) => [role, parts.length])).toEqual([
      ["user", 1],
      ["model", 1],
      ["user", 1],
    ]);
    expect(contents[2]?.parts).toEqual([{ functionResponse: { name: "w", response: { output: "" } } }]);
  });

  it("edge case 2: a call that nobody answered gets an answer before what follows, and an answer to nothing is left out", () => {
    const messages = [
      { role: "user", content: "a" },
      { role: "assistant", tool_calls: [call("a"), call("b")] },
      { role: "tool", tool_call_id: "b", content: "B" },
      { role: "tool", tool_call_id: "zzz", content: "?" },
      { role: "user", content: "never mind" },
    ];
    expect(contentsOf(messages, "gemini-2.5-flash").slice(2)).toEqual([
      {
        role: "user",
        parts: [
          { functionResponse: { name: "w", response: { error: "no result provided" } } },
          { functionResponse: { name: "w", response: { output: "B" } } },
        ],
      },
      { role: "user", parts: [{ text: "never mind" }] },
    ]);
    expect(linesOf(encode({ messages }, "gemini-2.5-flash").adjustments)).toEqual([
      "dropped messages[3]",
      "mapped messages[1].tool_calls[0]: unanswered → no result provided",
    ]);
  });

  it("edge case 3: parallel results are one content, in the order of the calls, with the names of the calls", () => {
    const contents = contentsOf([
      { role: "user", content: "a" },
      { role: "assistant", tool_calls: [call("a", "{}", "x"), call("b", "{}", "y")] },
      { role: "tool", tool_call_id: "b", content: "B" },
      { role: "tool", tool_call_id: "a", content: "A" },
      { role: "user", content: "so?" },
    ]);
    expect(contents.slice(2)).toEqual([
      {
        role: "user",
        parts: [
          { functionResponse: { name: "x", response: { output: "A" } } },
          { functionResponse: { name: "y", response: { output: "B" } } },
        ],
      },
      { role: "user", parts: [{ text: "so?" }] },
    ]);
  });

  it("edge case 4: ids of any provider link calls and results, and ids that clients can't use are replaced", () => {
    const contents = contentsOf([
      { role: "user", content: "a" },
      { role: "assistant", tool_calls: [call("functions.Bash:0", '{"n":1}'), call("functions.Bash:0", '{"n":2}')] },
      { role: "tool", tool_call_id: "functions.Bash:0", content: "1" },
      { role: "tool", tool_call_id: "functions.Bash:0", content: "2" },
    ]);
    expect(contents[2]?.parts.map((part) => (part["functionResponse"] as JsonObject)["response"])).toEqual([
      { output: "1" },
      { output: "2" },
    ]);
    const ids = ["a-1", "a-1", "", "x".repeat(41)].map((id) => ({ functionCall: { name: "w", id } }));
    const { message } = wholeOf(candidate({ content: { parts: ids }, finishReason: "STOP" }), TOOLS);
    const given = (message as { tool_calls: { id: string }[] }).tool_calls.map(({ id }) => id);
    expect(given[0]).toBe("a-1");
    expect(new Set(given).size).toBe(4);
    expect(given.every((id) => /^[A-Za-z0-9_-]{1,40}$/.test(id))).toBe(true);
  });

  it("edge case 5: a call without arguments has {}", () => {
    const deltas = deltasOf(chunksOf([says({ functionCall: { name: "w" } }), STOP], TOOLS));
    expect(deltas[0]).toMatchObject({ tool_calls: [{ index: 0, function: { name: "w", arguments: "{}" } }] });
    const contents = contentsOf([
      { role: "user", content: "a" },
      { role: "assistant", tool_calls: [call("a", "")] },
    ]);
    expect(contents[1]?.parts[0]).toMatchObject({ functionCall: { args: {} } });
  });

  it("edge case 6: calls count from 0, beside texts and over events", () => {
    const deltas = deltasOf(
      chunksOf(
        [
          says({ text: "a" }, { functionCall: { name: "w" } }),
          says({ text: "b" }),
          says({ functionCall: { name: "w" } }),
          STOP,
        ],
        TOOLS,
      ),
    );
    const indexes = deltas.flatMap(({ tool_calls: calls = [] }) =>
      (calls as { index: number }[]).map(({ index }) => index),
    );
    expect(indexes).toEqual([0, 1]);
  });

  it("edge case 7: answers that come in turns keep their calls apart, each counted from 0", () => {
    const both = (a: JsonObject, b: JsonObject): JsonObject => ({
      candidates: [{ content: { parts: [a] } }, { index: 1, content: { parts: [b] } }],
    });
    const made = (c: string): JsonObject => ({ functionCall: { name: "w", args: { c } } });
    const decoder = encode({ ...TOOLS, n: 2 }, "gemini-2.5-flash").createStreamDecoder();
    const events = [
      both(made("a"), { text: "b" }),
      both(made("c"), made("d")),
      both({ text: "e" }, made("f")),
      { candidates: [{ index: 1, finishReason: "STOP" }, { finishReason: "STOP" }] },
    ];
    const chunks = [...events.flatMap((each) => decoder.push(event(each))), ...decoder.finish()];
    const deltas = chunks.flatMap(({ choices }) =>
      choices.flatMap(({ index: choice, delta }) =>
        (delta?.toolCalls ?? []).map(({ index, function: made }) => [choice, index, made?.arguments]),
      ),
    );
    expect(deltas).toEqual([
      [0, 0, '{"c":"a"}'],
      [0, 1, '{"c":"c"}'],
      [1, 0, '{"c":"d"}'],
      [1, 1, '{"c":"f"}'],
    ]);
  });

  it("edge case 8: call, text, end and usage in one event become chunks in order", () => {
    const everything = {
      ...candidate({ content: { parts: [{ text: "a" }, { functionCall: { name: "w" } }] }, finishReason: "STOP" }),
      usageMetadata: { promptTokenCount: 1 },
    };
    const kinds = chunksOf([everything], TOOLS).map(({ choices, usage }) => {
      const [choice] = choices as { delta: JsonObject; finish_reason: string | null }[];
      if (choice === undefined) return usage === null ? "nothing" : "usage";
      return choice.finish_reason ?? (choice.delta["tool_calls"] === undefined ? "text" : "call");
    });
    expect(kinds).toEqual(["text", "call", "tool_calls", "usage"]);
  });

  it("edge case 9: the usage that came last is the only one, at the end", () => {
    const counting = (count: number) => ({ ...says({ text: "a" }), usageMetadata: { candidatesTokenCount: count } });
    const chunks = chunksOf([counting(5), counting(9), counting(7), STOP]);
    expect(chunks.map(({ usage }) => (usage as JsonObject | null)?.["completion_tokens"])).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      7,
    ]);
  });

  it("edge case 10: thoughts and what tools read are counted in, and what is cached is not counted twice", () => {
    const usageMetadata = {
      promptTokenCount: 10,
      cachedContentTokenCount: 8,
      toolUsePromptTokenCount: 5,
      candidatesTokenCount: 3,
      thoughtsTokenCount: 4,
    };
    const body = JSON.stringify({ ...candidate({ finishReason: "STOP" }), usageMetadata });
    expect(encode({}).decodeResponse(body).usage).toMatchObject({
      promptTokens: 15,
      completionTokens: 7,
      totalTokens: 22,
      promptTokensDetails: { cachedTokens: 8 },
      completionTokensDetails: { reasoningTokens: 4 },
    });
  });

  it("edge case 11: a finish reason that comes early, twice or unknown is one finish, at the end", () => {
    const chunks = chunksOf([
      candidate({ finishReason: "MAX_TOKENS" }),
      says({ text: "late" }),
      candidate({ finishReason: "BRAND_NEW" }),
    ]);
    const finishes = chunks.flatMap(({ choices }) =>
      (choices as JsonObject[]).map(({ finish_reason: finish }) => finish),
    );
    expect(finishes).toEqual([null, "stop"]);
  });

  it("edge case 12: an error within a success is that error, before and after output", () => {
    const overloaded = { error: { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" } };
    const decoder = encode({}).createStreamDecoder();
    expect(errorOf(() => decoder.push(event(overloaded))).row.httpStatus).toBe(503);
    const later = encode({}).createStreamDecoder();
    later.push(event(says({ text: "a" })));
    expect(errorOf(() => later.push(event([overloaded]))).reasonName).toBe("OVERLOADED");
    expect(errorOf(() => encode({}).decodeResponse(JSON.stringify([overloaded]))).reasonName).toBe("OVERLOADED");
  });

  it.each<[string, JsonValue[]]>([
    ["nothing", []],
    ["usage alone", [{ usageMetadata: { promptTokenCount: 1 } }]],
    ["text without an end", [says({ text: "a" })]],
    [
      "one end of two answers",
      [{ candidates: [{ finishReason: "STOP" }, { index: 1, content: { parts: [{ text: "b" }] } }] }],
    ],
  ])("edge case 13: a body that ends after %s was cut", (_name, events) => {
    const decoder = encode({ n: 2 }, "gemini-2.5-flash").createStreamDecoder();
    for (const each of events) decoder.push(event(each));
    expect(errorOf(() => decoder.finish()).reasonName).toBe("UPSTREAM_STREAM_INTERRUPTED");
  });

  const TEXT = "Flut in Çeşme 🌊 um zwölf";
  const LINES = [says({ text: TEXT.slice(0, 15) }), says({ text: TEXT.slice(15) }), STOP].map((each) =>
    JSON.stringify(each),
  );
  const FORMS: [string, () => EventReader, string][] = [
    ["events with CRLF", () => createSseReader("google"), LINES.map((line) => `data: ${line}\r\n\r\n`).join("")],
    [
      "events with CR and no last line",
      () => createSseReader("google"),
      `\ufeff: hi\r\r${LINES.map((line) => `data:${line}`).join("\r\r")}`,
    ],
    ["a list of events", () => createJsonReader("google", true), `[${LINES.join(",\r\n")}\n]\n`],
  ];
  it.each(FORMS)("edge cases 14 and 16: %s say the same, wherever they are cut", (_name, open, text) => {
    const body = Buffer.from(text);
    const said = Array.from(body, (_, at) => {
      const [reader, decoder] = [open(), encode({}).createStreamDecoder()];
      const events = [...reader.push(body.subarray(0, at)), ...reader.push(body.subarray(at)), ...reader.finish()];
      const chunks = [...events.flatMap((each) => decoder.push(each)), ...decoder.finish()];
      return chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta?.content ?? "")).join("");
    });
    expect([...new Set(said)]).toEqual([TEXT]);
  });

  it("edge case 15: characters cut in two are joined, and halves are replaced on both ways", () => {
    const raw = (text: string) => ({
      event: undefined,
      data: `{"candidates":[{"content":{"parts":[{"text":"${text}"}]}}]}`,
    });
    const decoder = encode({}).createStreamDecoder();
    const chunks = ["a\\ud83d", "\\ude00b\\ud83d", "c\\ud83d"].flatMap((text) => decoder.push(raw(text)));
    chunks.push(...decoder.push(event(STOP)));
    chunks.push(...decoder.finish());
    const texts = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta?.content)).filter((text) => text);
    expect(texts).toEqual(["a", "😀b", "\ufffdc", "\ufffd"]);
    const body = encode({
      messages: [
        { role: "user", content: "\\ud83d \ud83d" },
        { role: "assistant", tool_calls: [call("a", '{"t":"\\ud83d\\ude00 \\ud83d"}')] },
        { role: "tool", tool_call_id: "a", content: '{"t":"\\ude00"}' },
      ],
    }).request.body as string;
    expect(body).toContain('"text":"\\\\ud83d \ufffd"');
    expect(body).toContain('"args":{"t":"😀 \ufffd"}');
    expect(body).toContain('"response":{"t":"\ufffd"}');
  });

  it("edge case 17: signatures survive the way through a client, and degrade when it strips them", () => {
    const answered = candidate({
      content: { parts: [{ functionCall: { name: "w", id: "96c1su3s", args: {} }, thoughtSignature: "G" }] },
      finishReason: "STOP",
    });
    const { message } = wholeOf(answered, TOOLS) as { message: JsonObject };
    const [made] = message["tool_calls"] as JsonObject[];
    const { extra_content: _extra, ...stripped } = made as JsonObject;
    const replay = (assistant: JsonObject, model = MODEL) =>
      contentsOf(
        [{ role: "user", content: "a" }, assistant, { role: "tool", tool_call_id: "96c1su3s", content: "ok" }],
        model,
      )[1]?.parts;
    const part = { functionCall: { id: "96c1su3s", name: "w", args: {} } };
    const { reasoning_details: _details, ...withoutDetails } = message;
    expect(replay(message)).toEqual([{ ...part, thoughtSignature: "G" }]);
    expect(replay(withoutDetails)).toEqual([{ ...part, thoughtSignature: "G" }]);
    expect(replay({ ...message, tool_calls: [stripped] })).toEqual([{ ...part, thoughtSignature: "G" }]);
    const bare = { ...withoutDetails, tool_calls: [stripped] };
    expect(replay(bare)).toEqual([{ ...part, thoughtSignature: "skip_thought_signature_validator" }]);
    expect(replay(bare, "gemini-2.5-flash")).toEqual([part]);
    const foreign = { type: "reasoning.encrypted", data: "S", format: "anthropic-claude-v1", id: "96c1su3s", index: 0 };
    expect(replay({ ...bare, reasoning_details: [foreign] }, "gemini-2.5-flash")).toEqual([part]);
  });

  it.each([
    ["whole", false],
    ["streamed", true],
  ])("edge case 17: in a loop of parallel calls, the signature is back on the very call that had it: %s", (_name, streamed) => {
    const provider = google();
    const answered = candidate({
      content: {
        parts: [
          { text: "hm", thought: true },
          { text: "Both.", thoughtSignature: "T" },
          { functionCall: { name: "w", args: { c: "A" } }, thoughtSignature: "G" },
          { functionCall: { name: "w", args: { c: "B" } } },
        ],
      },
      finishReason: "STOP",
    });
    const asked = encode(TOOLS, MODEL, { provider });
    const decoder = asked.createStreamDecoder();
    const whole = streamed
      ? fold([...decoder.push(event(answered)), ...decoder.finish()])
      : asked.decodeResponse(JSON.stringify(answered));
    const memory = createRecollection();
    memory.remember("google", whole);
    const [choice] = encodeJson(ChatCompletionSchema, whole)["choices"] as { message: JsonObject }[];
    const message = choice?.message ?? {};
    const calls = message["tool_calls"] as JsonObject[];
    const bare = {
      role: "assistant",
      content: message["content"] as string,
      tool_calls: calls.map(({ extra_content: _extra, ...rest }) => rest),
    };
    const next = (assistant: JsonObject): ChatCompletionParams =>
      paramsOf({
        ...TOOLS,
        messages: [
          { role: "user", content: "a" },
          assistant,
          ...calls.map(({ id }) => ({ role: "tool", tool_call_id: id as string, content: "ok" })),
        ],
      });
    const partsOf = (params: ChatCompletionParams): JsonObject[] => {
      const { body = "" } = provider.encodeRequest({
        model: MODEL,
        params,
        streaming: false,
        media: new Map(),
      }).request;
      return (JSON.parse(body) as { contents: { parts: JsonObject[] }[] }).contents[1]?.parts ?? [];
    };
    const parts = (text: string | undefined, first: string) => [
      { text: "Both.", ...(text === undefined ? {} : { thoughtSignature: text }) },
      { functionCall: { name: "w", args: { c: "A" } }, thoughtSignature: first },
      { functionCall: { name: "w", args: { c: "B" } } },
    ];
    expect(partsOf(next(message))).toEqual(parts("T", "G"));
    expect(partsOf(memory.restore("google", next(bare)))).toEqual(parts("T", "G"));
    expect(partsOf(next(bare))).toEqual(parts(undefined, "skip_thought_signature_validator"));
  });

  it.each<[string, JsonObject, JsonObject]>([
    ["a blocked prompt", { promptFeedback: { blockReason: "SAFETY" } }, { finish_reason: "content_filter" }],
    ["no content", candidate({ finishReason: "STOP" }), { finish_reason: "stop", message: { content: "" } }],
    [
      "no parts",
      candidate({ content: { role: "model" }, finishReason: "SAFETY" }),
      { finish_reason: "content_filter", message: { content: "" } },
    ],
    [
      "thoughts alone",
      candidate({ content: { parts: [{ text: "hm", thought: true }] }, finishReason: "MAX_TOKENS" }),
      { finish_reason: "length", message: { content: "", reasoning_content: "hm" } },
    ],
    [
      "a call with STOP",
      candidate({ content: { parts: [{ functionCall: { name: "w" } }] }, finishReason: "STOP" }),
      { finish_reason: "tool_calls", message: { content: null } },
    ],
  ])("edge case 18: %s is an answer, whole and streamed", (_name, body, expected) => {
    expect(wholeOf(body, TOOLS)).toMatchObject(expected);
    const decoder = encode(TOOLS).createStreamDecoder();
    const folded = fold([...decoder.push(event(body)), ...decoder.finish()]);
    expect(encodeJson(ChatCompletionSchema, folded)["choices"]).toMatchObject([expected]);
  });

  it("edge case 18: a call that was not declared is no answer, and a bad key is no bad request", () => {
    const unexpected = candidate({
      content: { parts: [{ functionCall: { name: "x" } }] },
      finishReason: "UNEXPECTED_TOOL_CALL",
    });
    expect(errorOf(() => wholeOf(unexpected, TOOLS)).row.httpStatus).toBe(502);
    expect(errorOf(() => chunksOf([unexpected], TOOLS)).retryable).toBe(true);
    const body = JSON.stringify({
      error: {
        code: 400,
        status: "INVALID_ARGUMENT",
        message: "API key not valid.",
        details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" }],
      },
    });
    const error = google().decodeError({ status: 400, header: () => undefined, body, receivedAt: 0 });
    expect(error.reasonName).toBe("UPSTREAM_AUTHENTICATION_FAILED");
  });

  it("edge case 19: a schema with everything in it is cleaned the same way each time", () => {
    const parameters = {
      $schema: "s",
      properties: {
        a: { oneOf: [{ const: "x" }, { type: ["string", "null"] }] },
        b: { $ref: "#/$defs/B" },
        c: { type: "object", properties: {}, additionalProperties: { type: "number" } },
      },
      $defs: { B: { type: "object", properties: { b: { $ref: "#/$defs/B" } } } },
    };
    const request = { tools: [{ type: "function", function: { name: "w", parameters } }] };
    const first = encode(request).request.body;
    expect(encode(request).request.body).toBe(first);
    expect(bodyOf(request)["tools"]).toEqual([
      {
        functionDeclarations: [
          {
            name: "w",
            parametersJsonSchema: {
              properties: {
                a: { oneOf: [{ enum: ["x"] }, { type: ["string", "null"] }] },
                b: { $ref: "#/$defs/B" },
                c: { type: "object", properties: {}, additionalProperties: { type: "number" } },
              },
              $defs: { B: { type: "object", properties: { b: { $ref: "#/$defs/B" } } } },
              type: "object",
            },
          },
        ],
      },
    ]);
  });

  it("edge case 20: a delay is passed on, up to an hour, and a quota of the day is not tried again", () => {
    const limited = (details: JsonObject[]) =>
      google().decodeError({
        status: 429,
        header: (name) => (name === "retry-after" ? "86400" : undefined),
        body: JSON.stringify({ error: { status: "RESOURCE_EXHAUSTED", message: "x", details } }),
        receivedAt: 0,
      });
    expect(limited([]).details.retryAfterMs).toBe(3_600_000);
    const daily = limited([
      { "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [{ quotaId: "RequestsPerDay" }] },
    ]);
    expect([daily.retryable, daily.details.retryAfterMs]).toEqual([false, undefined]);
  });
});
