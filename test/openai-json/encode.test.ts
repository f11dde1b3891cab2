import { create, fromJson, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import { DurationSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import {
  ChatCompletionChunkSchema,
  ChatCompletionSchema,
  LogprobsSchema,
  TokenLogprobSchema,
} from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { ContentPartSchema, MessageSchema, Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { AdjustmentSchema, AttemptSchema } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { ToolCallSchema, ToolSchema } from "../../src/gen/parley/chat/v1/tool_pb.ts";
import { TimeoutsSchema } from "../../src/gen/parley/config/v1/config_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { encodeJson, stringifyJson } from "../../src/openai-json/encode.ts";
import { caught } from "./support/caught.ts";

const tool = (parametersJson: string): MessageInitShape<typeof ToolSchema> => ({
  kind: { case: "function", value: { name: "f", schema: { case: "parametersJson", value: parametersJson } } },
});
const text = { kind: { case: "text", value: "Hi" } } as const;

describe("encodeJson()", () => {
  it("writes the nulls of the contract in answers, and in requests those that are always there", () => {
    const message = create(MessageSchema, { role: Role.ASSISTANT });
    expect(encodeJson(MessageSchema, message)).toStrictEqual({ role: "assistant", content: null, refusal: null });
    expect(encodeJson(MessageSchema, message, { nulls: true })).toStrictEqual({
      role: "assistant",
      content: null,
      refusal: null,
    });
    expect(encodeJson(MessageSchema, message, { nulls: false })).toStrictEqual({ role: "assistant", content: null });
  });

  it("leaves a field out when told so, but not the fields of that name within", () => {
    const chunk = create(ChatCompletionChunkSchema, { usage: {}, extra: { usage: 1 } });
    expect(encodeJson(ChatCompletionChunkSchema, chunk, { without: "usage" })).not.toHaveProperty("usage");
    const params = create(ChatCompletionParamsSchema, { model: "m", moderation: { model: "o" } });
    expect(encodeJson(ChatCompletionParamsSchema, params, { without: "model" })).toStrictEqual({
      messages: [],
      moderation: { model: "o" },
    });
  });

  it("embeds JSON text, in the place of the Struct", () => {
    const message = create(ToolSchema, tool(' {"type":"object",\n"properties":{"b":{},"a":{"x":[1.5,null]}}}'));
    expect(encodeJson(ToolSchema, message)).toStrictEqual({
      type: "function",
      function: { name: "f", parameters: { type: "object", properties: { b: {}, a: { x: [1.5, null] } } } },
    });
    expect(stringifyJson(ToolSchema, message)).toBe(
      '{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"b":{},"a":{"x":[1.5,null]}}}}}',
    );
  });

  const parameters = "tools[0].function.parameters";
  it.each([
    ["", parameters, "must be JSON text: it is empty"],
    ["{", parameters, "must be JSON text: a key in double quotes is missing at line 1, column 2"],
    ['{"secret"}', parameters, 'must be JSON text: ":" is missing at line 1, column 10'],
    ['{"a":{"b":1,"b":2}}', `${parameters}.a.b`, "is there twice"],
    ['{"a":[{"__proto__":1}]}', `${parameters}.a[0].__proto__`, "is a key that is not allowed"],
    ['{"a":1e999}', `${parameters}.a`, "must be a number up to 1.7976931348623157e+308"],
    ['{"a":'.repeat(100), `${parameters}.${Array(64).fill("a").join(".")}`, "is nested deeper than 64 levels"],
  ])("rejects the JSON text %s", (json, param, problem) => {
    const message = create(ChatCompletionParamsSchema, { tools: [tool(json)] });
    const error = caught(() => encodeJson(ChatCompletionParamsSchema, message));
    expect(error).toMatchObject({ reason: Reason.INVALID_VALUE, message: `${param} ${problem}` });
    expect(error.details.param).toBe(param);
  });

  it("writes U+FFFD for halves of surrogate pairs", () => {
    const message = create(ChatCompletionParamsSchema, {
      messages: [{ content: [{ kind: { case: "text", value: "a\ud83d" } }] }],
      stop: ["\ude00\ud83d\ude00"],
      metadata: { "\ud83d": "\ud83d" },
    });
    expect(encodeJson(ChatCompletionParamsSchema, message)).toMatchObject({
      messages: [{ content: "a\ufffd" }],
      stop: "\ufffd😀",
      metadata: { "\ufffd": "\ufffd" },
    });
  });

  it.each([
    [
      "NaN",
      () => encodeJson(TokenLogprobSchema, create(TokenLogprobSchema, { logprob: Number.NaN })),
      "logprob is NaN, which JSON can't say",
    ],
    [
      "an infinity",
      () => {
        const init = { content: [{}, { topLogprobs: [{ logprob: Number.NEGATIVE_INFINITY }] }] };
        return encodeJson(LogprobsSchema, create(LogprobsSchema, init));
      },
      "content[1].top_logprobs[0].logprob is -Infinity, which JSON can't say",
    ],
    [
      "NaN in a map",
      () =>
        encodeJson(ChatCompletionParamsSchema, create(ChatCompletionParamsSchema, { logitBias: { "1": Number.NaN } })),
      'logit_bias["1"] is NaN, which JSON can\'t say',
    ],
    [
      "an integer that would be rounded",
      () => encodeJson(ChatCompletionSchema, create(ChatCompletionSchema, { created: 2n ** 53n })),
      "created is 9007199254740992, and must be from -(2^53-1) to 2^53-1",
    ],
    [
      "an enum value without a word",
      () =>
        encodeJson(
          ChatCompletionSchema,
          create(ChatCompletionSchema, { choices: [{ message: { role: 99 as Role } }] }),
        ),
      "choices[0].message.role is 99, an enum value without a word",
    ],
    [
      "zero of an enum in a list",
      () => encodeJson(ChatCompletionParamsSchema, create(ChatCompletionParamsSchema, { modalities: [1, 0] })),
      "modalities[1] is 0, an enum value without a word",
    ],
    [
      "a duration with two signs",
      () => {
        const total = create(DurationSchema, { seconds: 1n, nanos: -1 });
        return encodeJson(TimeoutsSchema, create(TimeoutsSchema, { total }));
      },
      "total is no duration: it is out of bounds, or has two signs",
    ],
    [
      "a time out of its bounds",
      () => encodeJson(AttemptSchema, create(AttemptSchema, { startTime: { seconds: 253_402_300_800n } })),
      "start_time is no time: it is out of bounds",
    ],
    [
      "a Value that is unset",
      () => encodeJson(AdjustmentSchema, create(AdjustmentSchema, { before: create(ValueSchema) })),
      "before can't be written as JSON",
    ],
    [
      "a member's value",
      () => {
        const value = { name: "f", schema: { case: "parametersJson", value: "" } } as const;
        return encodeJson(ToolSchema, create(ToolSchema, { kind: { case: "function", value } }));
      },
      "function.parameters must be JSON text: it is empty",
    ],
  ])("rejects %s, and says where", (_, action, message) => {
    const error = caught(action);
    expect(error.message).toBe(message);
    expect(message.startsWith(`${error.details.param} `)).toBe(true);
  });

  it("says that a value which JSON can't say is the gateway's fault", () => {
    const message = create(TokenLogprobSchema, { logprob: Number.NaN });
    expect(caught(() => encodeJson(TokenLogprobSchema, message)).reason).toBe(Reason.INTERNAL);
  });

  it("writes null for a Value that says it", () => {
    const message = create(AdjustmentSchema, { before: fromJson(ValueSchema, null) });
    expect(encodeJson(AdjustmentSchema, message)).toStrictEqual({ path: "", before: null, reason: "" });
  });
});

describe("encodeJson() and keys that nobody knows", () => {
  it.each<[string, JsonObject, JsonObject]>([
    ["known ones win", { model: "x", temperature: 5, stream: true, messages: 1 }, {}],
    ["one that ends with a known one is not known", { my_model: "x", "": 0 }, { my_model: "x", "": 0 }],
    ["all JSON is kept", { a: [null, { b: {} }], constructor: 1 }, { a: [null, { b: {} }], constructor: 1 }],
  ])("%s", (_, extra, kept) => {
    const message = create(ChatCompletionParamsSchema, { model: "m", extra });
    expect(encodeJson(ChatCompletionParamsSchema, message)).toStrictEqual({ model: "m", messages: [], ...kept });
  });

  it("constants win", () => {
    const message = create(ChatCompletionSchema, { extra: { object: "x" } });
    expect(encodeJson(ChatCompletionSchema, message)["object"]).toBe("chat.completion");
  });

  it.each<[string, MessageInitShape<typeof ToolCallSchema>, JsonObject]>([
    [
      "a discriminator and a member's key, next to the member that is set",
      { kind: { case: "custom", value: {} }, extra: { type: "function", custom: 1, function: 2 } },
      { id: "", type: "custom", custom: { name: "", input: "" }, function: 2 },
    ],
    ["a member's key, where none is set", { extra: { function: {}, x: 1 } }, { id: "", x: 1 }],
    ["a known discriminator, where none is set", { extra: { type: "function", function: {} } }, { id: "" }],
    [
      "a discriminator that is not known, and what stands next to it",
      { extra: { type: "mcp", mcp: {}, function: {}, id: "x" } },
      { id: "", type: "mcp", mcp: {}, function: {} },
    ],
  ])("%s", (_, init, json) => {
    expect(encodeJson(ToolCallSchema, create(ToolCallSchema, init))).toStrictEqual(json);
  });

  it("writes the key __proto__ as a key", () => {
    const extra = JSON.parse('{"__proto__":{"polluted":true}}');
    const json = encodeJson(ContentPartSchema, create(ContentPartSchema, { ...text, extra }));
    expect(Object.keys(json)).toEqual(["type", "text", "__proto__"]);
    expect(json).not.toHaveProperty("polluted");
    expect({}).not.toHaveProperty("polluted");
  });
});

describe("stringifyJson()", () => {
  it("writes the text of encodeJson, on one line", () => {
    const json = {
      object: "chat.completion.chunk",
      id: "1",
      created: 2,
      model: "m",
      choices: [{ index: 0, delta: { content: 'a\n"\u2028\\' }, finish_reason: null }],
      usage: null,
    };
    const chunk = decodeJson(ChatCompletionChunkSchema, json);
    expect(stringifyJson(ChatCompletionChunkSchema, chunk)).toBe(JSON.stringify(json));
    expect(stringifyJson(ChatCompletionChunkSchema, chunk, { nulls: false })).toBe(
      JSON.stringify(json).replaceAll(/,"(finish_reason|usage)":null/g, ""),
    );
  });
});
