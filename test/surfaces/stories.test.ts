/** One table of stories, told over all four doors with equal meaning. */
import { toJson } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type ChatCompletion, ChatCompletionSchema, FinishReason } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { ReasoningEffort } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { ToolChoice_Mode } from "../../src/gen/parley/chat/v1/tool_pb.ts";
import { collect } from "../support/collect.ts";
import type { Params } from "../support/doors.ts";
import { fold } from "../support/fold.ts";
import { useDoors } from "../support/use-doors.ts";

const text = (value: string) => ({ kind: { case: "text" as const, value } });
const user = (value: string) => ({ role: Role.USER, content: [text(value)] });

const WEATHER = {
  kind: {
    case: "function" as const,
    value: {
      name: "get_weather",
      description: "Get current weather for a city",
      schema: {
        case: "parameters" as const,
        value: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      },
    },
  },
};
const CALL = {
  id: "call_1",
  kind: { case: "function" as const, value: { name: "get_weather", arguments: '{"city":"Oslo"}' } },
};
const PERSON = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer", minimum: 0 } },
  required: ["name", "age"],
  additionalProperties: false,
};

/** What a story must come to, in the first choice. */
interface Expectation {
  readonly finishReason: FinishReason;
  readonly content?: unknown;
  readonly calls?: unknown;
  readonly choices?: number;
  /** How many tokens have logprobs; 0 where they are not given. */
  readonly logprobs?: number;
}

const contentOf = ({ choices }: ChatCompletion): unknown => choices[0]?.message?.content[0]?.kind.value;
const { STOP, LENGTH, TOOL_CALLS, FUNCTION_CALL } = FinishReason;

const STORIES: readonly (readonly [string, Params, Expectation])[] = [
  ["plain", { model: "auto", messages: [user("Hello")] }, { finishReason: STOP, content: expect.stringMatching(/\w/) }],
  [
    "echo",
    { model: "sandbox/echo", messages: [user("Grüße 👋🏽, 世界")] },
    { finishReason: STOP, content: "Grüße 👋🏽, 世界" },
  ],
  ["bare model id", { model: "echo", messages: [user("a")] }, { finishReason: STOP, content: "a" }],
  [
    "conversation",
    {
      model: "sandbox/eliza",
      messages: [
        { role: Role.SYSTEM, content: [text("Be kind.")] },
        user("I am sad"),
        { role: Role.ASSISTANT, content: [text("Why?")] },
        user("Because it rains"),
      ],
      seed: 7n,
    },
    { finishReason: STOP, content: expect.stringMatching(/\w/) },
  ],
  [
    "parts",
    {
      model: "sandbox/echo",
      messages: [
        {
          role: Role.USER,
          content: [
            text("look:"),
            { kind: { case: "imageUrl", value: { url: "https://example.com/a.png" } } },
            { kind: { case: "file", value: { fileData: "data:application/pdf;base64,AA==", filename: "a.pdf" } } },
          ],
        },
      ],
    },
    { finishReason: STOP, content: "look:\n[image]\n[file a.pdf]" },
  ],
  [
    "tools",
    { model: "auto", messages: [user("What's the weather in Tokyo?")], tools: [WEATHER] },
    {
      finishReason: TOOL_CALLS,
      calls: [
        { id: expect.stringMatching(/^call_/), function: { name: "get_weather", arguments: '{"city":"Tokyo"}' } },
      ],
    },
  ],
  [
    "tools that are required",
    {
      model: "auto",
      messages: [user("Hello")],
      tools: [WEATHER],
      toolChoice: { choice: { case: "mode", value: ToolChoice_Mode.REQUIRED } },
    },
    {
      finishReason: TOOL_CALLS,
      calls: [
        { id: expect.any(String), function: { name: "get_weather", arguments: expect.stringMatching(/^\{"city":"/) } },
      ],
    },
  ],
  [
    "tool result",
    {
      model: "auto",
      messages: [
        user("What's the weather in Oslo?"),
        { role: Role.ASSISTANT, toolCalls: [CALL] },
        { role: Role.TOOL, toolCallId: "call_1", content: [text("snow")] },
      ],
      tools: [WEATHER],
    },
    { finishReason: STOP, content: "get_weather says: snow" },
  ],
  [
    "custom tool",
    {
      model: "auto",
      messages: [user("run it")],
      tools: [{ kind: { case: "custom", value: { name: "shell" } } }],
      toolChoice: { choice: { case: "custom", value: { name: "shell" } } },
    },
    { finishReason: TOOL_CALLS, calls: [{ id: expect.any(String), custom: { name: "shell", input: "run it" } }] },
  ],
  [
    "legacy function",
    {
      model: "auto",
      messages: [user("What's the weather in Tokyo?")],
      functions: [WEATHER.kind.value],
      functionCall: { choice: { case: "name", value: "get_weather" } },
    },
    { finishReason: FUNCTION_CALL, calls: { name: "get_weather", arguments: '{"city":"Tokyo"}' } },
  ],
  [
    "structured output",
    {
      model: "auto",
      messages: [user("Who?")],
      responseFormat: {
        format: {
          case: "jsonSchema",
          value: { name: "person", definition: { case: "schema", value: PERSON }, strict: true },
        },
      },
    },
    { finishReason: STOP, content: expect.stringMatching(/^\{"name":"[^"]*","age":\d+\}$/) },
  ],
  [
    "JSON object",
    {
      model: "auto",
      messages: [user("Hello, as JSON")],
      responseFormat: { format: { case: "jsonObject", value: {} } },
    },
    { finishReason: STOP, content: expect.stringMatching(/^\{"answer":".+"\}$/) },
  ],
  ["n", { model: "auto", messages: [user("Hello")], n: 3 }, { finishReason: STOP, choices: 3 }],
  [
    "logprobs",
    { model: "sandbox/echo", messages: [user("one two")], logprobs: true, topLogprobs: 2 },
    { finishReason: STOP, content: "one two", logprobs: 2 },
  ],
  [
    "stop",
    { model: "sandbox/echo", messages: [user("one two three")], stop: ["three", " two"] },
    { finishReason: STOP, content: "one" },
  ],
  [
    "length",
    { model: "sandbox/echo", messages: [user("one two three")], maxCompletionTokens: 2 },
    { finishReason: LENGTH, content: "one two" },
  ],
  [
    "length, by its old name",
    { model: "sandbox/echo", messages: [user("one two three")], maxTokens: 1 },
    { finishReason: LENGTH, content: "one" },
  ],
  [
    "reasoning",
    { model: "sandbox/echo", messages: [user("one")], reasoningEffort: ReasoningEffort.LOW },
    { finishReason: STOP, content: "one" },
  ],
  ["empty text", { model: "sandbox/echo", messages: [user("")] }, { finishReason: STOP, content: "" }],
];

/** An answer as far as it is the same on all doors. */
function meaningOf(completion: ChatCompletion): unknown {
  expect(completion.id).toMatch(/^chatcmpl-[0-9A-Za-z]{28}$/);
  expect(Math.abs(Number(completion.created) - Date.now() / 1000)).toBeLessThan(60);
  return toJson(ChatCompletionSchema, { ...completion, id: "", created: 0n });
}

function callsOf({ choices }: ChatCompletion): unknown {
  const message = choices[0]?.message;
  if (message?.functionCall !== undefined) {
    const { name, arguments: input } = message.functionCall;
    return { name, arguments: input };
  }
  return message?.toolCalls.map(({ id, kind }) => {
    if (kind.case === "custom") return { id, custom: { name: kind.value.name, input: kind.value.input } };
    return { id, function: { name: kind.value?.name, arguments: kind.value?.arguments } };
  });
}

describe("stories", () => {
  const { doors } = useDoors();

  it.each(STORIES)("%s: whole, the same on every door", async (_name, params, expected) => {
    const answers = await Promise.all(doors.map((door) => door.complete(params)));
    const [first] = answers as [ChatCompletion];
    expect(first.choices[0]?.finishReason).toBe(expected.finishReason);
    expect(first.choices).toHaveLength(expected.choices ?? 1);
    expect(contentOf(first)).toEqual("calls" in expected ? undefined : (expected.content ?? expect.any(String)));
    expect(callsOf(first)).toEqual(expected.calls ?? []);
    expect(first.choices[0]?.logprobs?.content ?? []).toHaveLength(expected.logprobs ?? 0);
    expect(first.choices.map(({ index }) => index)).toEqual(first.choices.map((_, at) => at));
    expect(first.usage?.totalTokens).toBeGreaterThan(0);
    const meanings = answers.map(meaningOf);
    expect(meanings).toEqual(doors.map(() => meanings[0]));
  });

  it.each(STORIES)("%s: streamed, it folds into the whole answer on every door", async (_name, params) => {
    const [whole] = await Promise.all(doors.slice(0, 1).map((door) => door.complete(params)));
    const streams = await Promise.all(doors.map((door) => collect(door.stream(params))));
    const meaning = meaningOf(whole as ChatCompletion);
    expect(streams.map((chunks) => meaningOf(fold(chunks)))).toEqual(doors.map(() => meaning));
  });

  it("leaves the reasoning out when the caller says so", async () => {
    const params: Params = { model: "sandbox/echo", messages: [user("a")], reasoningEffort: ReasoningEffort.HIGH };
    for (const door of doors) {
      const shown = await door.complete(params);
      const hidden = await door.complete(params, { options: { includeReasoning: false } });
      expect(shown.choices[0]?.message?.reasoningContent).toMatch(/\w/);
      expect(hidden.choices[0]?.message?.reasoningContent).toBeUndefined();
      expect(hidden.usage).toEqual(shown.usage);
      const chunks = await collect(door.stream(params, { options: { includeReasoning: false } }));
      expect(fold(chunks).choices[0]?.message?.reasoningContent).toBeUndefined();
    }
  });
});
