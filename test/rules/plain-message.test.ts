import { create, type DescMessage, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CreateChatCompletionRequestSchema } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { ImageUrl_Detail, InputAudio_Format, Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import {
  type ChatCompletionParamsSchema,
  OutputModality,
  ReasoningEffort,
} from "../../src/gen/parley/chat/v1/params_pb.ts";
import { ToolChoice_Mode } from "../../src/gen/parley/chat/v1/tool_pb.ts";
import { ConfigSchema } from "../../src/gen/parley/config/v1/config_pb.ts";
import { KeyLimitsSchema } from "../../src/gen/parley/keys/v1/limits_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { SERVICES } from "../../src/rpc/handler.ts";
import { isPlainlyValid } from "../../src/rules/plain-message.ts";
import { arbitraryMessage } from "./support/arbitrary-message.ts";

const validator = createValidator();
const isValid = (schema: DescMessage, message: Message): boolean =>
  validator.validate(schema, message).kind === "valid";

/** What a message of the contract is made of, itself included. */
function partsOf(schema: DescMessage, found = new Set<DescMessage>()): Set<DescMessage> {
  if (found.has(schema) || schema.typeName.startsWith("google.")) return found;
  found.add(schema);
  for (const { message } of schema.fields) if (message !== undefined) partsOf(message, found);
  return found;
}

const REQUESTS = SERVICES.flatMap(({ methods }) => methods.map(({ input }) => input)).filter(({ typeName }) =>
  typeName.startsWith("parley."),
);
const JUDGED = [...new Set([...REQUESTS, ConfigSchema, KeyLimitsSchema].flatMap((schema) => [...partsOf(schema)]))];

const text = (value: string) => ({ kind: { case: "text" as const, value } });
const user = { role: Role.USER, content: [text("hi")] };
const weather = {
  name: "weather",
  description: "Tells the weather.",
  schema: { case: "parameters" as const, value: { type: "object", properties: { city: { type: "string" } } } },
  strict: true,
};
const call = { id: "call_1", kind: { case: "function" as const, value: { name: "weather", arguments: "{}" } } };

/** What clients send. */
const ORDINARY: readonly (readonly [string, MessageInitShape<typeof ChatCompletionParamsSchema>])[] = [
  ["a question", {}],
  [
    "all usual numbers",
    {
      temperature: 0.7,
      topP: 1,
      maxCompletionTokens: 100,
      maxTokens: 100,
      n: 2,
      seed: 1n,
      presencePenalty: 0.5,
      frequencyPenalty: -0.5,
      logprobs: true,
      topLogprobs: 5,
      stop: ["\n"],
      logitBias: { 50256: -100 },
      metadata: { a: "b" },
      user: "me",
      stream: true,
      streamOptions: { includeUsage: true },
      extra: { anything: [1] },
    },
  ],
  [
    "an image, audio and a file",
    {
      modalities: [OutputModality.TEXT],
      messages: [
        {
          role: Role.USER,
          content: [
            text("look"),
            { kind: { case: "imageUrl", value: { url: "data:image/png;base64,AA==", detail: ImageUrl_Detail.LOW } } },
            { kind: { case: "inputAudio", value: { data: "AA==", format: InputAudio_Format.WAV } } },
            { kind: { case: "file", value: { fileId: "file-1" } } },
          ],
        },
      ],
    },
  ],
  [
    "a loop of tools",
    {
      tools: [{ kind: { case: "function", value: weather } }],
      toolChoice: { choice: { case: "mode", value: ToolChoice_Mode.AUTO } },
      parallelToolCalls: false,
      messages: [
        user,
        { role: Role.ASSISTANT, toolCalls: [call] },
        { role: Role.TOOL, toolCallId: "call_1", content: [text("rain")] },
      ],
    },
  ],
  [
    "an answer of a schema",
    {
      responseFormat: {
        format: { case: "jsonSchema", value: { name: "weather", definition: { case: "schemaJson", value: "{}" } } },
      },
      reasoningEffort: ReasoningEffort.LOW,
    },
  ],
];

describe("isPlainlyValid()", () => {
  it.each(ORDINARY)("takes %s", (_what, params) => {
    const request = create(CreateChatCompletionRequestSchema, {
      params: { model: "openai/gpt-4o-mini", messages: [user], ...params },
      options: { strict: true, includeReasoning: true, fallbackModels: ["auto"], hedgeAfter: { seconds: 1n } },
    });
    expect(isPlainlyValid(CreateChatCompletionRequestSchema, request)).toBe(true);
  });

  it("takes a configuration of all kinds of providers, keys and limits", () => {
    const config = decodeJson(ConfigSchema, {
      listen: "127.0.0.1:8080",
      timeouts: { total: "60s", idle: "30s" },
      auth: {
        keys: [{ id: "ci", sha256: "0".repeat(64), scopes: ["chat"], models: ["openai/*"] }],
        jwt: { issuer: "me", audience: "it", jwks_url: "https://id.example.com/keys", algorithms: ["ES256"] },
      },
      providers: [
        { id: "openai", openai_compatible: { base_url: "https://api.openai.com/v1", api_key: "sk-1" } },
        { id: "local", openai_compatible: { base_url: "http://127.0.0.1:8000/v1", vendor: "vllm" } },
        { id: "anthropic", anthropic: { api_key: "sk-2" } },
        { id: "google", google: { api_key: "sk-3" }, concurrency: { max_in_flight: 10 } },
      ],
      models: [{ id: "best", targets: ["openai/gpt-4o"], policy: "quality" }],
      routing: { breaker: { window: 20, min_calls: 5 }, retry_budget: { ratio: 0.2 } },
    });
    expect(isPlainlyValid(ConfigSchema, config)).toBe(true);
  });

  it("takes no message for one of another type", () => {
    const request = create(CreateChatCompletionRequestSchema, { params: { model: "m", messages: [user] } });
    expect(isPlainlyValid(KeyLimitsSchema, request)).toBe(false);
  });

  it("takes no message of the contract that protovalidate does not, and most of those that it does", () => {
    const counts = { plain: 0, valid: 0, invalid: 0 };
    for (const schema of JUDGED) {
      fc.assert(
        fc.property(arbitraryMessage(schema, 2), (message) => {
          const valid = isValid(schema, message);
          const plain = isPlainlyValid(schema, message);
          expect(plain && !valid).toBe(false);
          counts[plain ? "plain" : valid ? "valid" : "invalid"] += 1;
        }),
        { numRuns: 200, seed: 7 },
      );
    }
    expect(JUDGED.length).toBeGreaterThan(80);
    expect(counts.invalid).toBeGreaterThan(2_000);
    expect(counts.plain / (counts.plain + counts.valid)).toBeGreaterThan(0.95);
  });
});
