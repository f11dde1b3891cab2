import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ChatCompletionChunkSchema, ChatCompletionSchema } from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { encodeJson } from "../../../src/openai-json/encode.ts";
import { fold } from "../../support/fold.ts";
import { encode, errorOf, PNG } from "./support.ts";

const answer = (candidate: JsonObject, more: JsonObject = {}): JsonObject => ({
  candidates: [candidate],
  responseId: "r1",
  modelVersion: "gemini-x",
  ...more,
});
/** As JSON; "@1e400" is a number. */
const wire = (json: JsonObject): string => JSON.stringify(json).replace(/"@([^"]+)"/g, "$1");
const says = (...parts: JsonObject[]): JsonObject => ({ content: { role: "model", parts }, finishReason: "STOP" });
const fn = (name: string, more: JsonObject = {}) => ({ functionCall: { name, ...more } });
const id = (n: number) => `call_${String(n).padStart(24, "0")}`;
const entry = (data: string, index: number, of?: string) => ({
  type: "reasoning.encrypted",
  data,
  format: "google-gemini-v1",
  ...(of === undefined ? {} : { id: of }),
  index,
});

interface Row {
  readonly name: string;
  readonly request?: JsonObject;
  readonly model?: string;
  readonly candidate: JsonObject;
  readonly message: JsonObject;
  readonly finish: string;
  readonly native?: string;
}

const TOOLS = { tools: [{ type: "function", function: { name: "w" } }] };
const ROWS: Row[] = [
  {
    name: "text of several parts",
    candidate: says({ text: "a" }, { text: "" }, { text: "b" }),
    message: { content: "ab" },
    finish: "stop",
  },
  { name: "no content", candidate: { finishReason: "STOP" }, message: { content: "" }, finish: "stop" },
  {
    name: "content without parts",
    candidate: { content: { role: "model" }, finishReason: "MAX_TOKENS" },
    message: { content: "" },
    finish: "length",
  },
  {
    name: "a filter",
    candidate: { content: {}, finishReason: "SAFETY", finishMessage: "Not that." },
    message: { content: null, refusal: "Not that." },
    finish: "content_filter",
    native: "SAFETY",
  },
  {
    name: "a filter within an answer",
    candidate: { ...says({ text: "a" }), finishReason: "RECITATION" },
    message: { content: "a" },
    finish: "content_filter",
    native: "RECITATION",
  },
  {
    name: "an end by itself",
    candidate: { ...says({ text: "a" }), finishReason: "OTHER" },
    message: { content: "a" },
    finish: "stop",
    native: "OTHER",
  },
  {
    name: "an end that nobody knows",
    candidate: { ...says({ text: "a" }), finishReason: "NEW_ONE" },
    message: { content: "a" },
    finish: "stop",
    native: "NEW_ONE",
  },
  {
    name: "an answer that could go on",
    candidate: { ...says({ text: "a" }), finishReason: "CONTINUATION" },
    message: { content: "a" },
    finish: "length",
    native: "CONTINUATION",
  },
  {
    name: "thoughts and a signature of the text",
    candidate: says({ text: "hm", thought: true }, { text: "a" }, { text: "", thoughtSignature: "T" }),
    message: { content: "a", reasoning_content: "hm", reasoning_details: [entry("T", 0)] },
    finish: "stop",
  },
  {
    name: "a signature in a part of its own",
    candidate: says({ text: "a" }, { thoughtSignature: "T" }),
    message: { content: "a", reasoning_details: [entry("T", 0)] },
    finish: "stop",
  },
  {
    name: "calls with a signature, ids and none",
    request: TOOLS,
    candidate: says(
      { ...fn("w", { args: { c: "A" }, id: "96c1su3s" }), thoughtSignature: "G" },
      fn("w", { id: "96c1su3s" }),
      fn("w", { args: {}, id: "functions.w:0" }),
    ),
    message: {
      content: null,
      tool_calls: [
        {
          id: "96c1su3s",
          type: "function",
          function: { name: "w", arguments: '{"c":"A"}' },
          extra_content: { google: { thought_signature: "G" } },
        },
        { id: id(1), type: "function", function: { name: "w", arguments: "{}" } },
        { id: id(2), type: "function", function: { name: "w", arguments: "{}" } },
      ],
      reasoning_details: [entry("G", 0, "96c1su3s")],
    },
    finish: "tool_calls",
  },
  {
    name: "arguments with all their digits and any key",
    request: TOOLS,
    candidate: says(
      { text: "Look" },
      fn("w", { args: JSON.parse('{"b":1,"a":"@12345678901234567890","__proto__":{"x":"@1e400"}}') as JsonObject }),
    ),
    message: {
      content: "Look",
      tool_calls: [
        {
          id: id(1),
          type: "function",
          function: { name: "w", arguments: '{"b":1,"a":12345678901234567890,"__proto__":{"x":1e400}}' },
        },
      ],
    },
    finish: "tool_calls",
  },
  {
    name: "a call that was cut",
    request: TOOLS,
    candidate: { ...says(fn("w")), finishReason: "MAX_TOKENS" },
    message: { content: null, tool_calls: [{ id: id(1), type: "function", function: { name: "w", arguments: "{}" } }] },
    finish: "length",
  },
  {
    name: "names as the caller has them",
    request: { tools: [{ type: "function", function: { name: "1st" } }] },
    candidate: says(fn("_1st")),
    message: {
      content: null,
      tool_calls: [{ id: id(1), type: "function", function: { name: "1st", arguments: "{}" } }],
    },
    finish: "tool_calls",
  },
  {
    name: "a custom tool",
    request: { tools: [{ type: "custom", custom: { name: "c" } }] },
    candidate: says(fn("c", { args: { input: "x" } })),
    message: { content: null, tool_calls: [{ id: id(1), type: "custom", custom: { name: "c", input: "x" } }] },
    finish: "tool_calls",
  },
  {
    name: "a function of the legacy form",
    request: { functions: [{ name: "w" }] },
    candidate: says(fn("w", { args: { a: 1 } })),
    message: { content: null, function_call: { name: "w", arguments: '{"a":1}' } },
    finish: "function_call",
  },
  {
    name: "an answer by a function of ours",
    request: {
      ...TOOLS,
      response_format: { type: "json_schema", json_schema: { name: "json", schema: { type: "object" } } },
    },
    model: "gemini-2.5-flash",
    candidate: says(fn("json", { args: { a: "é" } })),
    message: { content: '{"a":"é"}' },
    finish: "stop",
  },
  {
    name: "images with their signatures",
    candidate: says({ text: "Here" }, { inlineData: { mimeType: "image/png", data: PNG }, thoughtSignature: "I" }),
    message: {
      content: "Here",
      images: [{ type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` }, index: 0 }],
      reasoning_details: [entry("I", 0, "image_0")],
    },
    finish: "stop",
  },
  {
    name: "a signature of the thoughts, and one that is alone",
    candidate: says({ text: "hm", thought: true, thoughtSignature: "H" }, { text: "a" }, { thoughtSignature: "T" }),
    message: { content: "a", reasoning_content: "hm", reasoning_details: [entry("H", 0, "thought"), entry("T", 1)] },
    finish: "stop",
  },
  {
    name: "a filter of Google's clouds",
    candidate: { ...says({ text: "a" }), finishReason: "MODEL_ARMOR" },
    message: { content: "a" },
    finish: "content_filter",
    native: "MODEL_ARMOR",
  },
  {
    name: "arguments with half a character",
    request: TOOLS,
    candidate: says(fn("w", { id: "a", args: { c: "\ud83d" } })),
    message: {
      content: null,
      tool_calls: [{ id: "a", type: "function", function: { name: "w", arguments: '{"c":"\ufffd"}' } }],
    },
    finish: "tool_calls",
  },
  {
    name: "code that Google ran, and parts that nobody knows",
    candidate: says(
      { executableCode: { code: "1" } },
      { codeExecutionResult: { output: "1" } },
      { text: "1" },
      { news: {} },
    ),
    message: { content: "1" },
    finish: "stop",
  },
  {
    name: "citations, by bytes within a part",
    candidate: {
      ...says({ text: "hm", thought: true }, { text: "Grüße 👋 " }, { text: "aus Köln." }),
      groundingMetadata: {
        groundingChunks: [
          { web: { uri: "https://a.example", title: "A" } },
          { web: {} },
          { maps: { uri: "https://m.example" } },
        ],
        groundingSupports: [
          { segment: { startIndex: 0, endIndex: 7, partIndex: 1, text: "Grüße" }, groundingChunkIndices: [0, 1, 9] },
          { segment: { startIndex: 4, endIndex: 9, partIndex: 2, text: "Köln" }, groundingChunkIndices: [0, 2] },
          { segment: { endIndex: 99, text: "Grüße" }, groundingChunkIndices: [1] },
          { segment: { startIndex: 4, endIndex: 7, text: "ße!" }, groundingChunkIndices: [0] },
          { segment: { startIndex: 98, endIndex: 99, text: "nowhere" }, groundingChunkIndices: [0] },
        ],
      },
    },
    message: {
      content: "Grüße 👋 aus Köln.",
      reasoning_content: "hm",
      annotations: [
        { type: "url_citation", url_citation: { start_index: 0, end_index: 5, title: "A", url: "https://a.example" } },
        {
          type: "url_citation",
          url_citation: { start_index: 12, end_index: 16, title: "A", url: "https://a.example" },
        },
        { type: "url_citation", url_citation: { start_index: 12, end_index: 16, title: "", url: "https://m.example" } },
        { type: "url_citation", url_citation: { start_index: 3, end_index: 5, title: "A", url: "https://a.example" } },
      ],
    },
    finish: "stop",
  },
];

describe("decodeResponse()", () => {
  it.each(ROWS)("reads $name", ({ request = {}, model, candidate, message, finish, native }) => {
    const json = encodeJson(ChatCompletionSchema, encode(request, model).decodeResponse(wire(answer(candidate))));
    expect(json).toEqual({
      object: "chat.completion",
      id: "r1",
      created: 0,
      model: "gemini-x",
      choices: [
        {
          index: 0,
          message: { role: "assistant", refusal: null, ...message },
          finish_reason: finish,
          ...(native === undefined ? {} : { native_finish_reason: native }),
          logprobs: null,
        },
      ],
    });
  });

  it.each(ROWS)("agrees with the stream about $name", ({ request = {}, model, candidate }) => {
    const body = wire(answer(candidate, { usageMetadata: { promptTokenCount: 3, serviceTier: "standard" } }));
    const decoder = encode(request, model).createStreamDecoder();
    const chunks = [...decoder.push({ event: undefined, data: body }), ...decoder.finish()];
    const whole = encode(request, model).decodeResponse(body);
    expect(encodeJson(ChatCompletionSchema, fold(chunks))).toEqual(encodeJson(ChatCompletionSchema, whole));
  });

  it("refuses several calls in the legacy form, which has room for one", () => {
    const asked = { functions: [{ name: "w" }] };
    const body = wire(answer(says(fn("w"), fn("w"))));
    const refused = expect.objectContaining({ reasonName: "UPSTREAM_INVALID_RESPONSE" });
    expect(() => encode(asked).decodeResponse(body)).toThrow(refused);
    expect(() => encode(asked).createStreamDecoder().push({ event: undefined, data: body })).toThrow(refused);
  });

  it("counts thoughts, tools and what is cached", () => {
    const usageMetadata = {
      promptTokenCount: 10,
      candidatesTokenCount: 73,
      totalTokenCount: 222,
      cachedContentTokenCount: 4,
      toolUsePromptTokenCount: 30,
      thoughtsTokenCount: 109,
      promptTokensDetails: [
        { modality: "TEXT", tokenCount: 5 },
        { modality: "DOCUMENT", tokenCount: 2 },
        { modality: "VIDEO", tokenCount: 1 },
        { modality: "AUDIO", tokenCount: 2 },
      ],
      candidatesTokensDetails: [{ modality: "AUDIO", tokenCount: 7 }],
      serviceTier: "priority",
    };
    const body = JSON.stringify(answer(says({ text: "a" }), { usageMetadata }));
    expect(encodeJson(ChatCompletionSchema, encode({}).decodeResponse(body))).toMatchObject({
      service_tier: "priority",
      usage: {
        prompt_tokens: 40,
        completion_tokens: 182,
        total_tokens: 222,
        prompt_tokens_details: {
          cached_tokens: 4,
          cache_write_tokens: 0,
          audio_tokens: 2,
          image_tokens: 3,
          text_tokens: 5,
        },
        completion_tokens_details: { reasoning_tokens: 109, audio_tokens: 7 },
      },
    });
  });

  it("reads log probabilities", () => {
    const logprobsResult = {
      chosenCandidates: [{ token: "Hé", logProbability: -0.5 }, { token: "!" }],
      topCandidates: [
        {
          candidates: [
            { token: "Hé", logProbability: -0.5 },
            { token: "Ho", logProbability: "-Infinity" },
          ],
        },
      ],
    };
    const json = encodeJson(
      ChatCompletionSchema,
      encode({ logprobs: true }).decodeResponse(JSON.stringify(answer({ ...says({ text: "Hé!" }), logprobsResult }))),
    ) as { choices: { logprobs: JsonObject }[] };
    expect(json.choices[0]?.logprobs).toEqual({
      content: [
        {
          token: "Hé",
          logprob: -0.5,
          bytes: [72, 195, 169],
          top_logprobs: [
            { token: "Hé", logprob: -0.5, bytes: [72, 195, 169] },
            { token: "Ho", logprob: -9999, bytes: [72, 111] },
          ],
        },
        { token: "!", logprob: 0, bytes: [33], top_logprobs: [] },
      ],
      refusal: null,
    });
  });

  it("gives every answer that was asked for, also of a blocked prompt", () => {
    const two = { candidates: [says({ text: "a" }), { ...says({ text: "b" }), index: 1 }] };
    const texts = encode({ n: 2 }, "gemini-2.5-flash").decodeResponse(JSON.stringify(two)).choices;
    expect(texts.map(({ index, message }) => [index, message?.content[0]?.kind.value])).toEqual([
      [0, "a"],
      [1, "b"],
    ]);
    const blocked = { promptFeedback: { blockReason: "PROHIBITED_CONTENT" } };
    const json = encodeJson(
      ChatCompletionSchema,
      encode({ n: 2 }, "gemini-2.5-flash").decodeResponse(JSON.stringify(blocked)),
    );
    const choice = {
      message: { role: "assistant", content: null, refusal: "The prompt was blocked: PROHIBITED_CONTENT" },
      finish_reason: "content_filter",
      native_finish_reason: "PROHIBITED_CONTENT",
      logprobs: null,
    };
    expect(json["choices"]).toEqual([
      { index: 0, ...choice },
      { index: 1, ...choice },
    ]);
  });

  it("takes an index that is left out for 0, and for the place where nobody has one", () => {
    const three = (...indexes: (number | undefined)[]) => ({
      candidates: indexes.map((index, at) => ({
        ...says({ text: String(at) }),
        ...(index === undefined ? {} : { index }),
      })),
    });
    const textsOf = (body: JsonObject) =>
      encode({ n: 2 }, "gemini-2.5-flash")
        .decodeResponse(JSON.stringify(body))
        .choices.map(({ index, message }) => [index, message?.content[0]?.kind.value]);
    const swapped = [
      [0, "1"],
      [1, "0"],
    ];
    const inOrder = [
      [0, "0"],
      [1, "1"],
    ];
    expect(textsOf(three(1, undefined))).toEqual(swapped);
    expect(textsOf(three(undefined, 1))).toEqual(inOrder);
    expect(textsOf(three(undefined, undefined))).toEqual(inOrder);
  });

  it("ends by a block what has no end of its own", () => {
    const body = JSON.stringify({
      candidates: [{ content: { parts: [{ text: "a" }] } }, { ...says({ text: "b" }), index: 1 }],
      promptFeedback: { blockReason: "OTHER", blockReasonMessage: "Enough." },
    });
    const call = encode({ n: 2 }, "gemini-2.5-flash");
    const choices = [
      {
        index: 0,
        message: { role: "assistant", content: "a", refusal: "Enough." },
        finish_reason: "content_filter",
        native_finish_reason: "OTHER",
        logprobs: null,
      },
      { index: 1, message: { role: "assistant", content: "b", refusal: null }, finish_reason: "stop", logprobs: null },
    ];
    expect(encodeJson(ChatCompletionSchema, call.decodeResponse(body))["choices"]).toEqual(choices);
    const decoder = call.createStreamDecoder();
    const chunks = [...decoder.push({ event: undefined, data: body }), ...decoder.finish()];
    expect(encodeJson(ChatCompletionSchema, fold(chunks))["choices"]).toEqual(choices);
  });

  it("counts tokens of no known kind as nothing else", () => {
    const usageMetadata = {
      promptTokenCount: 10,
      promptTokensDetails: [
        { modality: "MODALITY_UNSPECIFIED", tokenCount: 4 },
        { modality: "DOCUMENT", tokenCount: 1 },
        { modality: "VIDEO", tokenCount: 2 },
        { tokenCount: 3 },
      ],
    };
    const { usage } = encode({}).decodeResponse(JSON.stringify(answer(says({ text: "a" }), { usageMetadata })));
    expect(usage?.promptTokensDetails).toMatchObject({ imageTokens: 3, audioTokens: 0, textTokens: 0 });
  });

  it.each<[string, string, string, boolean]>([
    ["an empty body", "", "UPSTREAM_INVALID_RESPONSE", true],
    ["HTML", "<html>", "UPSTREAM_INVALID_RESPONSE", true],
    ["a list", "[]", "UPSTREAM_INVALID_RESPONSE", true],
    ["no candidates", "{}", "UPSTREAM_INVALID_RESPONSE", true],
    ["candidates that are none", '{"candidates":[1,null]}', "UPSTREAM_INVALID_RESPONSE", true],
    ["no end", JSON.stringify(answer({ content: {} })), "UPSTREAM_INVALID_RESPONSE", true],
    [
      "a call that can't be used",
      JSON.stringify(answer({ ...says(fn("w")), finishReason: "UNEXPECTED_TOOL_CALL" })),
      "UPSTREAM_INVALID_RESPONSE",
      true,
    ],
    [
      "a malformed call",
      JSON.stringify(answer({ finishReason: "MALFORMED_FUNCTION_CALL" })),
      "UPSTREAM_INVALID_RESPONSE",
      true,
    ],
    [
      "nothing, for other reasons",
      JSON.stringify(answer({ content: {}, finishReason: "OTHER" })),
      "UPSTREAM_INVALID_RESPONSE",
      true,
    ],
    ["a call of nothing", JSON.stringify(answer(says({ functionCall: {} }))), "UPSTREAM_INVALID_RESPONSE", true],
    [
      "arguments nested beyond reason",
      `{"candidates":[{"finishReason":"STOP","content":{"parts":[{"functionCall":{"name":"w","args":{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}}}]}}]}`,
      "UPSTREAM_INVALID_RESPONSE",
      true,
    ],
    [
      "an error",
      '{"error":{"code":503,"status":"UNAVAILABLE","message":"The model is overloaded."}}',
      "OVERLOADED",
      true,
    ],
    [
      "a list of an error",
      '[{"error":{"code":403,"status":"PERMISSION_DENIED","message":"No."}}]',
      "PERMISSION_DENIED",
      false,
    ],
  ])("fails for %s", (_name, body, reason, retryable) => {
    const error = errorOf(() => encode({}).decodeResponse(body));
    expect([error.reasonName, error.retryable]).toEqual([reason, retryable]);
  });
});

describe("chunks", () => {
  it("say who speaks once, and end with the usage", () => {
    const decoder = encode({}).createStreamDecoder();
    const push = (candidate: JsonObject, more: JsonObject = {}) =>
      decoder.push({ event: undefined, data: JSON.stringify(answer(candidate, more)) });
    const chunks = [
      ...push({ content: { parts: [{ text: "a", thought: true }] } }, { usageMetadata: { promptTokenCount: 1 } }),
      ...push(says({ text: "b" })),
      ...push(
        { content: { parts: [{ text: "c" }] } },
        { usageMetadata: { promptTokenCount: 2, candidatesTokenCount: 3 } },
      ),
      ...decoder.finish(),
    ];
    const identity = { object: "chat.completion.chunk", id: "r1", created: 0, model: "gemini-x" };
    const chunk = (delta: JsonObject, finish: string | null = null) => ({
      ...identity,
      choices: [{ index: 0, delta, finish_reason: finish }],
      usage: null,
    });
    expect(chunks.map((each) => encodeJson(ChatCompletionChunkSchema, each))).toEqual([
      chunk({ role: "assistant", content: null, refusal: null, reasoning_content: "a" }),
      chunk({ content: "b" }),
      chunk({ content: "c" }),
      chunk({}, "stop"),
      {
        ...identity,
        choices: [],
        usage: expect.objectContaining({ prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 }) as unknown,
      },
    ]);
  });
});
