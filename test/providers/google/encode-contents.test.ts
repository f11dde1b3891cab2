import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { bodyOf, encode, errorOf, GIF, google, linesOf, PNG, paramsOf } from "./support.ts";

const SENTINEL = "skip_thought_signature_validator";
const call = (id: string, args = "{}", more: JsonObject = {}) => ({
  id,
  type: "function",
  function: { name: "w", arguments: args },
  ...more,
});
const signed = (data: string, id?: string, format = "google-gemini-v1") => ({
  type: "reasoning.encrypted",
  data,
  format,
  index: 0,
  ...(id === undefined ? {} : { id }),
});
const loop = (assistant: JsonObject, ...results: JsonObject[]): JsonObject => ({
  messages: [
    { role: "user", content: "Go" },
    { role: "assistant", ...assistant },
    ...results.map((result) => ({ role: "tool", ...result })),
  ],
});
/** Parts of the contents after the user's first. */
const partsAfter = (request: JsonObject, model?: string) =>
  (bodyOf(request, model)["contents"] as { parts: JsonObject[] }[]).slice(1).map(({ parts }) => parts);

describe("calls", () => {
  it.each([
    {
      name: "extra content",
      assistant: { tool_calls: [call("a", "{}", { extra_content: { google: { thought_signature: "G" } } })] },
    },
    {
      name: "the reasoning's entry",
      assistant: { tool_calls: [call("a")], reasoning_details: [signed("X", "b"), signed("G", "a")] },
    },
    {
      name: "extra content before the entry",
      assistant: {
        tool_calls: [call("a", "{}", { extra_content: { google: { thought_signature: "G" } } })],
        reasoning_details: [signed("X", "a")],
      },
    },
  ])("get their signature from $name", ({ assistant }) => {
    const request = loop(assistant, { tool_call_id: "a", content: "ok" });
    expect(partsAfter(request)[0]).toEqual([{ functionCall: { name: "w", args: {} }, thoughtSignature: "G" }]);
    expect(encode(request).adjustments).toEqual([]);
  });

  it("get the signature that LiteLLM hides in ids", () => {
    const id = "call_1__thought__R0c=";
    const request = loop({ tool_calls: [call(id)] }, { tool_call_id: id, content: "ok" });
    expect(partsAfter(request)).toEqual([
      [{ functionCall: { name: "w", args: {} }, thoughtSignature: "R0c=" }],
      [{ functionResponse: { name: "w", response: { output: "ok" } } }],
    ]);
  });

  it("keep a signature where none is needed, and get none where none was", () => {
    const request = loop(
      { tool_calls: [call("a"), call("b")], reasoning_details: [signed("G", "b")] },
      { tool_call_id: "a", content: "1" },
      { tool_call_id: "b", content: "2" },
    );
    expect(partsAfter(request, "gemini-2.5-flash")[0]).toEqual([
      { functionCall: { name: "w", args: {} } },
      { functionCall: { name: "w", args: {} }, thoughtSignature: "G" },
    ]);
  });

  it("report a lost signature of the running turn, and not of a turn before", () => {
    const results = [{ role: "tool", tool_call_id: "a", content: "1" }];
    const step = { role: "assistant", tool_calls: [call("a")] };
    const request = {
      messages: [{ role: "user", content: "1" }, step, ...results, { role: "user", content: "2" }, step, ...results],
    };
    const lost = { functionCall: { name: "w", args: {} }, thoughtSignature: SENTINEL };
    expect(partsAfter(request).filter((_, at) => at % 3 === 0)).toEqual([[lost], [lost]]);
    expect(linesOf(encode(request).adjustments)).toEqual([
      `mapped messages[4].tool_calls[0].extra_content: lost → ${SENTINEL}`,
    ]);
  });

  it("take back the signature of a text", () => {
    const request = {
      messages: [
        { role: "user", content: "1" },
        {
          role: "assistant",
          content: "A",
          reasoning_details: [signed("T"), signed("no", undefined, "anthropic-claude-v1")],
        },
      ],
    };
    expect(partsAfter(request)).toEqual([[{ text: "A", thoughtSignature: "T" }]]);
  });

  it("take back the signature of the thoughts, with the thoughts, before everything else", () => {
    const detail = { type: "reasoning.encrypted", data: "H", format: "google-gemini-v1", id: "thought", index: 0 };
    const message = { role: "assistant", content: "a", reasoning_content: "hm", reasoning_details: [detail] };
    const messages = [{ role: "user", content: "?" }, message, { role: "user", content: "So?" }];
    expect((bodyOf({ messages })["contents"] as JsonObject[])[1]).toEqual({
      role: "model",
      parts: [{ text: "hm", thought: true, thoughtSignature: "H" }, { text: "a" }],
    });
  });

  it("take back images with their signatures", () => {
    const url = `data:image/png;base64,${PNG}`;
    const request = {
      messages: [
        { role: "user", content: "1" },
        {
          role: "assistant",
          content: null,
          images: [{ type: "image_url", image_url: { url } }],
          reasoning_details: [signed("I", "image_0")],
        },
        { role: "user", content: "2" },
      ],
    };
    expect(partsAfter(request)[0]).toEqual([
      { inlineData: { mimeType: "image/png", data: PNG }, thoughtSignature: "I" },
    ]);
  });

  it.each([
    ["", "{}"],
    [" \n", "{}"],
    ['{"n":12345678901234567890,"e":1e400,"z":-0}', '{"n":12345678901234567890,"e":1e400,"z":-0}'],
    ['{"__proto__":{"a":1}}', '{"__proto__":{"a":1}}'],
    ["[1,2]", '{"value":[1,2]}'],
    ["12345678901234567890", '{"value":12345678901234567890}'],
    ['"\\ud83d"', '{"value":"\ufffd"}'],
    ["{oops", '{"_raw":"{oops"}'],
  ])("say the arguments %j", (given, expected) => {
    const request = loop({ tool_calls: [call("a", given)] }, { tool_call_id: "a", content: "ok" });
    expect(encode(request).request.body).toContain(`"functionCall":{"name":"w","args":${expected}}`);
  });

  it("refuse arguments that are nested too deeply", () => {
    const deep = `{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}`;
    const request = loop({ tool_calls: [call("a", deep)] }, { tool_call_id: "a", content: "ok" });
    const error = errorOf(() => encode(request));
    expect([error.reasonName, error.details.param]).toEqual([
      "INVALID_VALUE",
      "messages[1].tool_calls[0].function.arguments",
    ]);
  });

  it("say the input of a custom tool", () => {
    const request = loop(
      { tool_calls: [{ id: "a", type: "custom", custom: { name: "c", input: "x" } }] },
      { tool_call_id: "a", content: "ok" },
    );
    expect(partsAfter(request, "gemini-2.5-flash")[0]).toEqual([{ functionCall: { name: "c", args: { input: "x" } } }]);
  });
});

describe("results", () => {
  it.each<[string, JsonObject, JsonObject]>([
    ["text", { content: "sun" }, { output: "sun" }],
    ["nothing", { content: "" }, { output: "" }],
    [
      "several texts",
      {
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      },
      { output: "a\nb" },
    ],
    ["an object", { content: ' {"t":1}' }, { t: 1 }],
    ["a list", { content: "[1]" }, { output: "[1]" }],
    ["what only looks like an object", { content: "{no" }, { output: "{no" }],
    ["an error", { content: "gone", is_error: true }, { error: "gone" }],
  ])("are %s", (_name, result, response) => {
    const request = loop({ tool_calls: [call("a")] }, { tool_call_id: "a", ...result });
    expect(partsAfter(request)[1]).toEqual([{ functionResponse: { name: "w", response } }]);
  });

  it("give back only ids that Gemini gave", () => {
    const request = loop(
      { tool_calls: [call("96c1su3s"), call("call_000000000000000000000001"), call("toolu_1")] },
      { tool_call_id: "call_000000000000000000000001", content: "2" },
      { tool_call_id: "96c1su3s", content: "1" },
      { tool_call_id: "toolu_1", content: "3" },
    );
    expect(partsAfter(request, "gemini-2.5-flash")).toEqual([
      [
        { functionCall: { id: "96c1su3s", name: "w", args: {} } },
        { functionCall: { name: "w", args: {} } },
        { functionCall: { name: "w", args: {} } },
      ],
      [
        { functionResponse: { id: "96c1su3s", name: "w", response: { output: "1" } } },
        { functionResponse: { name: "w", response: { output: "2" } } },
        { functionResponse: { name: "w", response: { output: "3" } } },
      ],
    ]);
  });

  const withImage = loop(
    { tool_calls: [call("a")] },
    {
      tool_call_id: "a",
      content: [
        { type: "text", text: "see" },
        { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
      ],
    },
  );
  const blob = { inlineData: { mimeType: "image/png", data: PNG } };

  it("have images in them where the model takes those", () => {
    expect(partsAfter(withImage)[1]).toEqual([
      { functionResponse: { name: "w", response: { output: "see" }, parts: [blob] } },
    ]);
  });

  it("have images after them where it does not", () => {
    expect(partsAfter(withImage, "gemini-2.5-flash").slice(1)).toEqual([
      [{ functionResponse: { name: "w", response: { output: "see" } } }],
      [blob],
    ]);
    expect(linesOf(encode(withImage, "gemini-2.5-flash").adjustments)).toEqual([
      "mapped messages[2].content[1]: tool → user",
    ]);
  });
});

describe("media by address", () => {
  const url = "https://example.com/a.webp?x=1";
  const request = {
    messages: [
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url } },
          { type: "image_url", image_url: { url } },
          { type: "video_url", video_url: { url: "https://youtu.be/abc" } },
          { type: "file", file: { file_data: "https://generativelanguage.googleapis.com/v1beta/files/f" } },
        ],
      },
    ],
  };

  it("are to be fetched once, unless Gemini gets them itself", () => {
    const provider = google();
    const params = paramsOf(request);
    expect(provider.mediaToFetch("gemini-3-flash", params)).toEqual([
      { url, path: "messages[0].content[0].image_url.url", maxBytes: 100_000_000 },
    ]);
    expect(google({ models: [{ match: "", media_by_url: true }] }).mediaToFetch("gemini-3-flash", params)).toEqual([]);
  });

  it("are bytes once they are fetched, and a mark before", () => {
    const media = new Map([[url, { mimeType: "image/webp", data: PNG }]]);
    const image = { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }] };
    expect(bodyOf(image, undefined, { media })["contents"]).toEqual([
      { role: "user", parts: [{ inlineData: { mimeType: "image/png", data: PNG } }] },
    ]);
    expect(bodyOf(image)["contents"]).toEqual([
      { role: "user", parts: [{ inlineData: { mimeType: "image/webp", data: `[fetched from ${url}]` } }] },
    ]);
  });
});

describe("what is refused", () => {
  const image = (address: string) => ({
    messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: address } }] }],
  });
  const tool = { type: "function", function: { name: "w" } };
  it.each<[string, JsonObject, string, string, string | null, string]>([
    [
      "bad base64",
      image("data:image/png;base64,%%%"),
      "gemini-3-flash",
      "INVALID_VALUE",
      "invalid_image_url",
      "messages[0].content[0].image_url.url",
    ],
    [
      "plain http",
      image("http://example.com/a.png"),
      "gemini-3-flash",
      "INVALID_VALUE",
      "invalid_image_url",
      "messages[0].content[0].image_url.url",
    ],
    [
      "a GIF, whatever it says it is",
      image(`data:image/png;base64,${GIF}`),
      "gemini-3-flash",
      "UNSUPPORTED_VALUE",
      "unsupported_value",
      "messages[0].content[0].image_url.url",
    ],
    [
      "a file of another provider",
      { messages: [{ role: "user", content: [{ type: "file", file: { file_id: "file-abc" } }] }] },
      "gemini-3-flash",
      "UNSUPPORTED_VALUE",
      "unsupported_value",
      "messages[0].content[0].file.file_id",
    ],
    [
      "instructions alone",
      { messages: [{ role: "system", content: "A" }] },
      "gemini-3-flash",
      "INVALID_VALUE",
      "invalid_value",
      "messages",
    ],
    ["more answers than the model gives", { n: 2 }, "gemini-3-flash", "UNSUPPORTED_VALUE", "unsupported_value", "n"],
    [
      "audio as an answer",
      { modalities: ["text", "audio"], audio: { format: "wav", voice: "a" } },
      "gemini-3-flash",
      "UNSUPPORTED_PARAMETER",
      "unsupported_parameter",
      "modalities",
    ],
    [
      "moderation",
      { moderation: { model: "m" } },
      "gemini-3-flash",
      "UNSUPPORTED_PARAMETER",
      "unsupported_parameter",
      "moderation",
    ],
    [
      "the search beside tools",
      { web_search_options: {}, tools: [tool] },
      "gemini-2.5-flash",
      "UNSUPPORTED_PARAMETER",
      "unsupported_parameter",
      "web_search_options",
    ],
    [
      "a JSON object beside tools",
      { response_format: { type: "json_object" }, tools: [tool] },
      "gemini-2.5-flash",
      "UNSUPPORTED_PARAMETER",
      "unsupported_parameter",
      "response_format",
    ],
    [
      "a strict schema with open objects",
      {
        response_format: { type: "json_schema", json_schema: { name: "a", strict: true, schema: { type: "object" } } },
      },
      "gemini-3-flash",
      "INVALID_VALUE",
      "invalid_json_schema",
      "response_format",
    ],
    [
      "an answer's audio",
      {
        messages: [
          { role: "user", content: "a" },
          { role: "assistant", audio: { id: "x" } },
        ],
      },
      "gemini-3-flash",
      "UNSUPPORTED_PARAMETER",
      "unsupported_parameter",
      "messages[1].audio",
    ],
  ])("is %s", (_name, request, model, reason, code, param) => {
    const error = errorOf(() => encode(request, model));
    expect([error.reasonName, error.code, error.details.param]).toEqual([reason, code, param]);
  });

  it("is a model without log probabilities, where the configuration says so", () => {
    const provider = google({ models: [{ match: "flash", logprobs: false }] });
    expect(errorOf(() => encode({ logprobs: true }, "gemini-3-flash", { provider })).details.param).toBe("logprobs");
  });
});
