import type { JsonObject } from "@bufbuild/protobuf";
import { describe, it } from "vitest";
import { ServiceTier } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import {
  ImageUrl_Detail,
  InputAudio_Format,
  PromptCacheBreakpoint_Mode,
  ReasoningDetail_Type,
  Role,
} from "../../src/gen/parley/chat/v1/message_pb.ts";
import {
  AudioParams_Format,
  ModerationRule_Mode,
  OutputModality,
  PromptCacheOptions_Mode,
  PromptCacheRetention,
  ReasoningEffort,
  Verbosity,
  WebSearchOptions_SearchContextSize,
} from "../../src/gen/parley/chat/v1/params_pb.ts";
import {
  AllowedTools_Mode,
  FunctionCallChoice_Mode,
  Grammar_Syntax,
  ToolChoice_Mode,
} from "../../src/gen/parley/chat/v1/tool_pb.ts";
import { type Form, type Params, params } from "./support/form.ts";

type MessageInit = NonNullable<Params["messages"]>[number];

/** A message, whose form is written as `written`. */
function message(name: string, json: JsonObject, init: MessageInit, written: JsonObject = json): Form {
  return params(name, { messages: [json] }, { messages: [init] }, { messages: [written] });
}

/** A parameter that stays as it is. */
function same(name: string, json: JsonObject[string], value: unknown = json): Form {
  const property = name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return params(`${name}: ${JSON.stringify(json)}`, { [name]: json }, { [property]: value } as Params);
}

const text = (value: string) => ({ kind: { case: "text", value } }) as const;

describe("OpenAI's parameters", () => {
  it.each<Form>([
    same("model", "openai/gpt-4o"),
    same("stream", true),
    same("stream", false),
    same("stream_options", {}),
    same(
      "stream_options",
      { include_usage: true, include_obfuscation: false },
      { includeUsage: true, includeObfuscation: false },
    ),
    same("async", true),
    same("temperature", 0),
    same("temperature", 1.5),
    same("top_p", 0.1),
    same("top_k", 40),
    same("frequency_penalty", -2),
    same("presence_penalty", 2),
    same("logit_bias", { 50256: -100, 11: 0.5 }),
    same("max_completion_tokens", 0),
    same("max_tokens", 2147483647),
    same("n", 128),
    same("seed", -42, -42n),
    same("seed", Number.MAX_SAFE_INTEGER, 9007199254740991n),
    params("seed as a string", { seed: "-42" }, { seed: -42n }, { seed: -42 }),
    same("logprobs", false),
    same("top_logprobs", 20),
    same("parallel_tool_calls", false),
    same("reasoning_effort", "xhigh", ReasoningEffort.XHIGH),
    same("verbosity", "low", Verbosity.LOW),
    same("modalities", ["text", "audio"], [OutputModality.TEXT, OutputModality.AUDIO]),
    same("service_tier", "priority", ServiceTier.PRIORITY),
    same("store", false),
    same("metadata", { topic: "demo", "a.b": "" }),
    same("safety_identifier", "hash"),
    same("user", ""),
    same("prompt_cache_key", "key"),
    same(
      "prompt_cache_options",
      { mode: "implicit", ttl: "30m" },
      { mode: PromptCacheOptions_Mode.IMPLICIT, ttl: "30m" },
    ),
    same("prompt_cache_retention", "in_memory", PromptCacheRetention.IN_MEMORY),
    same("prompt_cache_retention", "24h", PromptCacheRetention.ONE_DAY),
    params("stop as a list of one", { stop: ["END"] }, { stop: ["END"] }, { stop: "END" }),
    params("stop as an empty list", { stop: [] }, {}, {}),
    same("stop", "END", ["END"]),
    same("stop", ["a", "b"]),
    same("web_search_options", {}),
    same(
      "web_search_options",
      {
        search_context_size: "high",
        user_location: {
          type: "approximate",
          approximate: { city: "Bern", country: "CH", region: "BE", timezone: "Europe/Zurich" },
        },
      },
      {
        searchContextSize: WebSearchOptions_SearchContextSize.HIGH,
        userLocation: { approximate: { city: "Bern", country: "CH", region: "BE", timezone: "Europe/Zurich" } },
      },
    ),
    params(
      "web_search_options without a location",
      { web_search_options: { user_location: null } },
      { webSearchOptions: {} },
      { web_search_options: {} },
    ),
    params(
      "a location without its constant",
      { web_search_options: { user_location: { approximate: {} } } },
      { webSearchOptions: { userLocation: { approximate: {} } } },
      { web_search_options: { user_location: { type: "approximate", approximate: {} } } },
    ),
    same(
      "moderation",
      { model: "omni", policy: { input: { mode: "block" }, output: { mode: "score" } } },
      {
        model: "omni",
        policy: { input: { mode: ModerationRule_Mode.BLOCK }, output: { mode: ModerationRule_Mode.SCORE } },
      },
    ),
    params(
      "moderation with nulls",
      { moderation: { model: "omni", policy: { input: null, output: null } } },
      { moderation: { model: "omni", policy: {} } },
      { moderation: { model: "omni", policy: {} } },
    ),
    same(
      "audio",
      { format: "pcm16", voice: "alloy" },
      { format: AudioParams_Format.PCM16, voice: { kind: { case: "name", value: "alloy" } } },
    ),
    same(
      "audio",
      { format: "mp3", voice: { id: "voice_1" } },
      { format: AudioParams_Format.MP3, voice: { kind: { case: "id", value: "voice_1" } } },
    ),
    same("prediction", { type: "content", content: "text" }, { content: [text("text")] }),
    same(
      "prediction",
      {
        type: "content",
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      },
      { content: [text("a"), text("b")] },
    ),
    same("response_format", { type: "text" }, { format: { case: "text", value: {} } }),
    same("response_format", { type: "json_object" }, { format: { case: "jsonObject", value: {} } }),
    same(
      "response_format",
      {
        type: "json_schema",
        json_schema: { name: "answer", description: "", schema: { type: "object", b: 1, a: null }, strict: true },
      },
      {
        format: {
          case: "jsonSchema",
          value: {
            name: "answer",
            description: "",
            definition: { case: "schema", value: { type: "object", b: 1, a: null } },
            strict: true,
          },
        },
      },
    ),
    params(
      "a schema that is null, and strict, too",
      { response_format: { type: "json_schema", json_schema: { name: "answer", schema: null, strict: null } } },
      { responseFormat: { format: { case: "jsonSchema", value: { name: "answer" } } } },
      { response_format: { type: "json_schema", json_schema: { name: "answer" } } },
    ),
    params(
      "a format without its discriminator",
      { response_format: { json_object: {} } },
      { responseFormat: { format: { case: "jsonObject", value: {} } } },
      { response_format: { type: "json_object" } },
    ),
    same(
      "functions",
      [{ name: "f" }, { name: "g", description: "d", parameters: {} }],
      [{ name: "f" }, { name: "g", description: "d", schema: { case: "parameters", value: {} } }],
    ),
    same("function_call", "none", { choice: { case: "mode", value: FunctionCallChoice_Mode.NONE } }),
    same("function_call", "auto", { choice: { case: "mode", value: FunctionCallChoice_Mode.AUTO } }),
    same("function_call", { name: "f" }, { choice: { case: "name", value: "f" } }),
    params(
      "extensions",
      { chat_template: { a: [1, null] }, seed2: null },
      { extra: { chat_template: { a: [1, null] }, seed2: null } },
    ),
    params(
      "nulls, which are unset",
      {
        model: null,
        messages: null,
        temperature: null,
        stop: null,
        tool_choice: null,
        metadata: null,
        seed: null,
        audio: null,
      },
      {},
      {},
    ),
  ])("$name", ({ check }) => check());
});

describe("OpenAI's tools", () => {
  it.each<Form>([
    same(
      "tools",
      [{ type: "function", function: { name: "f", description: "d", parameters: { type: "object" }, strict: false } }],
      [
        {
          kind: {
            case: "function",
            value: {
              name: "f",
              description: "d",
              schema: { case: "parameters", value: { type: "object" } },
              strict: false,
            },
          },
        },
      ],
    ),
    same("tools", [{ type: "custom", custom: { name: "c" } }], [{ kind: { case: "custom", value: { name: "c" } } }]),
    same(
      "tools",
      [{ type: "custom", custom: { name: "c", format: { type: "text" } } }],
      [{ kind: { case: "custom", value: { name: "c", format: { kind: { case: "text", value: {} } } } } }],
    ),
    same(
      "tools",
      [
        {
          type: "custom",
          custom: { name: "c", format: { type: "grammar", grammar: { definition: "[0-9]+", syntax: "regex" } } },
        },
      ],
      [
        {
          kind: {
            case: "custom",
            value: {
              name: "c",
              format: { kind: { case: "grammar", value: { definition: "[0-9]+", syntax: Grammar_Syntax.REGEX } } },
            },
          },
        },
      ],
    ),
    params(
      "a tool without its discriminator",
      { tools: [{ function: { name: "f" } }] },
      { tools: [{ kind: { case: "function", value: { name: "f" } } }] },
      { tools: [{ type: "function", function: { name: "f" } }] },
    ),
    params(
      "a tool with keys that are not known",
      { tools: [{ type: "function", function: { name: "f" }, cache_control: { type: "ephemeral" } }] },
      {
        tools: [{ kind: { case: "function", value: { name: "f" } }, extra: { cache_control: { type: "ephemeral" } } }],
      },
    ),
    params(
      "a tool with the other member's key",
      { tools: [{ type: "function", function: { name: "f" }, custom: 1 }] },
      { tools: [{ kind: { case: "function", value: { name: "f" } }, extra: { custom: 1 } }] },
    ),
    params(
      "a tool with null for the other member",
      { tools: [{ type: "function", function: { name: "f" }, custom: null }] },
      { tools: [{ kind: { case: "function", value: { name: "f" } } }] },
      { tools: [{ type: "function", function: { name: "f" } }] },
    ),
    same("tool_choice", "none", { choice: { case: "mode", value: ToolChoice_Mode.NONE } }),
    same("tool_choice", "auto", { choice: { case: "mode", value: ToolChoice_Mode.AUTO } }),
    same("tool_choice", "required", { choice: { case: "mode", value: ToolChoice_Mode.REQUIRED } }),
    same(
      "tool_choice",
      { type: "function", function: { name: "f" } },
      { choice: { case: "function", value: { name: "f" } } },
    ),
    same(
      "tool_choice",
      { type: "custom", custom: { name: "c" } },
      { choice: { case: "custom", value: { name: "c" } } },
    ),
    same(
      "tool_choice",
      {
        type: "allowed_tools",
        allowed_tools: {
          mode: "required",
          tools: [
            { type: "function", function: { name: "f" } },
            { type: "custom", custom: { name: "c" } },
          ],
        },
      },
      {
        choice: {
          case: "allowedTools",
          value: {
            mode: AllowedTools_Mode.REQUIRED,
            tools: [
              { kind: { case: "function", value: { name: "f" } } },
              { kind: { case: "custom", value: { name: "c" } } },
            ],
          },
        },
      },
    ),
    same(
      "tool_choice",
      { type: "allowed_tools", allowed_tools: { tools: [] } },
      { choice: { case: "allowedTools", value: {} } },
    ),
  ])("$name", ({ check }) => check());
});

describe("OpenAI's messages", () => {
  it.each<Form>([
    message(
      "system",
      { role: "system", content: "Be brief.", name: "n" },
      { role: Role.SYSTEM, content: [text("Be brief.")], name: "n" },
    ),
    message("developer, empty", { role: "developer", content: "" }, { role: Role.DEVELOPER, content: [text("")] }),
    message(
      "one text part is a plain string",
      { role: "user", content: [{ type: "text", text: "Hi" }] },
      { role: Role.USER, content: [text("Hi")] },
      { role: "user", content: "Hi" },
    ),
    message(
      "parts of all kinds",
      {
        role: "user",
        content: [
          { type: "text", text: "Hi" },
          { type: "image_url", image_url: { url: "https://x/y.png", detail: "original" } },
          { type: "input_audio", input_audio: { data: "QQ==", format: "wav" } },
          { type: "video_url", video_url: { url: "https://x/y.mp4" } },
          { type: "file", file: { file_data: "data:,", file_id: "file_1", filename: "a.pdf" } },
          { type: "refusal", refusal: "No." },
        ],
      },
      {
        role: Role.USER,
        content: [
          text("Hi"),
          { kind: { case: "imageUrl", value: { url: "https://x/y.png", detail: ImageUrl_Detail.ORIGINAL } } },
          { kind: { case: "inputAudio", value: { data: "QQ==", format: InputAudio_Format.WAV } } },
          { kind: { case: "videoUrl", value: { url: "https://x/y.mp4" } } },
          { kind: { case: "file", value: { fileData: "data:,", fileId: "file_1", filename: "a.pdf" } } },
          { kind: { case: "refusal", value: "No." } },
        ],
      },
    ),
    message(
      "one part that is no text",
      { role: "user", content: [{ type: "image_url", image_url: { url: "u" } }] },
      { role: Role.USER, content: [{ kind: { case: "imageUrl", value: { url: "u" } } }] },
    ),
    message(
      "one text with a breakpoint",
      {
        role: "user",
        content: [{ type: "text", text: "Hi", prompt_cache_breakpoint: { mode: "explicit", ttl: "12h" } }],
      },
      {
        role: Role.USER,
        content: [{ ...text("Hi"), promptCacheBreakpoint: { mode: PromptCacheBreakpoint_Mode.EXPLICIT, ttl: "12h" } }],
      },
    ),
    message(
      "one text with a key that is not known",
      { role: "user", content: [{ type: "text", text: "Hi", cache_control: null }] },
      { role: Role.USER, content: [{ ...text("Hi"), extra: { cache_control: null } }] },
    ),
    message(
      "parts without their discriminators",
      { role: "user", content: [{ text: "a" }, { image_url: { url: "u" }, text: null }] },
      { role: Role.USER, content: [text("a"), { kind: { case: "imageUrl", value: { url: "u" } } }] },
      {
        role: "user",
        content: [
          { type: "text", text: "a" },
          { type: "image_url", image_url: { url: "u" } },
        ],
      },
    ),
    message("no parts at all", { role: "user", content: [] }, { role: Role.USER }, { role: "user", content: null }),
    message(
      "assistant without content",
      { role: "assistant", tool_calls: [{ id: "call_1", type: "custom", custom: { name: "c", input: "" } }] },
      {
        role: Role.ASSISTANT,
        toolCalls: [{ id: "call_1", kind: { case: "custom", value: { name: "c", input: "" } } }],
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "call_1", type: "custom", custom: { name: "c", input: "" } }],
      },
    ),
    message(
      "assistant with calls",
      {
        role: "assistant",
        content: null,
        tool_calls: [
          { id: "call_1", type: "function", function: { name: "f", arguments: "{not JSON" } },
          { id: "call_2", type: "custom", custom: { name: "c", input: "x" } },
          {
            id: "call_3",
            type: "function",
            function: { name: "g", arguments: "" },
            extra_content: { google: { thought_signature: "c2ln" } },
          },
        ],
      },
      {
        role: Role.ASSISTANT,
        toolCalls: [
          { id: "call_1", kind: { case: "function", value: { name: "f", arguments: "{not JSON" } } },
          { id: "call_2", kind: { case: "custom", value: { name: "c", input: "x" } } },
          {
            id: "call_3",
            kind: { case: "function", value: { name: "g", arguments: "" } },
            extraContent: { google: { thought_signature: "c2ln" } },
          },
        ],
      },
    ),
    message(
      "assistant with nulls",
      { role: "assistant", content: null, refusal: null, audio: null, function_call: null, tool_calls: null },
      { role: Role.ASSISTANT },
      { role: "assistant", content: null },
    ),
    message(
      "assistant in the legacy form, with audio and a refusal",
      {
        role: "assistant",
        content: null,
        function_call: { name: "f", arguments: "{}" },
        refusal: "No.",
        audio: { id: "audio_1" },
      },
      { role: Role.ASSISTANT, functionCall: { name: "f", arguments: "{}" }, refusal: "No.", audio: { id: "audio_1" } },
    ),
    message(
      "assistant with what it thought",
      {
        role: "assistant",
        content: "42",
        reasoning_content: "Hm.",
        reasoning_details: [
          { type: "reasoning.text", text: "Hm.", signature: "c2ln", format: "anthropic-claude-v1", index: 0 },
          { type: "reasoning.summary", summary: "It thought.", id: "r1", index: 1 },
          { type: "reasoning.encrypted", data: "ZGF0YQ==", index: 2 },
        ],
      },
      {
        role: Role.ASSISTANT,
        content: [text("42")],
        reasoningContent: "Hm.",
        reasoningDetails: [
          { type: ReasoningDetail_Type.TEXT, text: "Hm.", signature: "c2ln", format: "anthropic-claude-v1", index: 0 },
          { type: ReasoningDetail_Type.SUMMARY, summary: "It thought.", id: "r1", index: 1 },
          { type: ReasoningDetail_Type.ENCRYPTED, data: "ZGF0YQ==", index: 2 },
        ],
      },
    ),
    message(
      "tool",
      { role: "tool", content: "42", tool_call_id: "call_1", is_error: false },
      { role: Role.TOOL, content: [text("42")], toolCallId: "call_1", isError: false },
    ),
    message("function", { role: "function", content: null, name: "f" }, { role: Role.FUNCTION, name: "f" }),
    message(
      "a key that is not known",
      { role: "user", content: "Hi", weight: 1 },
      { role: Role.USER, content: [text("Hi")], extra: { weight: 1 } },
    ),
  ])("$name", ({ check }) => check());
});
