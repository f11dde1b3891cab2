import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ChatCompletionParamsSchema, OutputModality, ReasoningEffort } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { Need } from "../../src/routing/abilities.ts";
import { demandOf, pathOfNeed } from "../../src/routing/demand.ts";

type Params = MessageInitShape<typeof ChatCompletionParamsSchema>;
type Part = "imageUrl" | "inputAudio" | "videoUrl" | "file";

const paramsOf = (params: Params) => create(ChatCompletionParamsSchema, params);
const text = (value: string) => ({ kind: { case: "text" as const, value } });
const messagesWith = (kind: Part) => [
  { content: [text("a")] },
  { content: [text("a"), { kind: { case: kind, value: {} } }] },
];

describe("demandOf(), pathOfNeed()", () => {
  it.each<readonly [string, Params, number, string]>([
    ["tools", { tools: [{}] }, Need.TOOLS, "tools"],
    ["functions", { functions: [{}] }, Need.TOOLS, "functions"],
    ["one tool at a time", { parallelToolCalls: false }, Need.ONE_TOOL_AT_A_TIME, "parallel_tool_calls"],
    [
      "a schema",
      { responseFormat: { format: { case: "jsonSchema", value: {} } } },
      Need.STRUCTURED_OUTPUT,
      "response_format",
    ],
    ["reasoning", { reasoningEffort: ReasoningEffort.LOW }, Need.REASONING, "reasoning_effort"],
    ["log probabilities", { logprobs: true }, Need.LOGPROBS, "logprobs"],
    ["speech", { modalities: [OutputModality.TEXT, OutputModality.AUDIO] }, Need.SPEECH, "modalities"],
    ["images", { messages: messagesWith("imageUrl") }, Need.IMAGES, "messages[1].content[1]"],
    ["audio", { messages: messagesWith("inputAudio") }, Need.AUDIO, "messages[1].content[1]"],
    ["video", { messages: messagesWith("videoUrl") }, Need.VIDEO, "messages[1].content[1]"],
    ["files", { messages: messagesWith("file") }, Need.FILES, "messages[1].content[1]"],
  ])("see that %s are needed, and where", (_what, params, need, path) => {
    const full = paramsOf(params);
    expect([demandOf(full).needs, pathOfNeed(need, full)]).toEqual([need, path]);
  });

  it.each<readonly [string, Params]>([
    ["an empty call", {}],
    ["several tools at a time", { parallelToolCalls: true }],
    ["JSON without a schema", { responseFormat: { format: { case: "jsonObject", value: {} } } }],
    ["no reasoning", { reasoningEffort: ReasoningEffort.NONE }],
    ["no log probabilities", { logprobs: false }],
    ["text", { modalities: [OutputModality.TEXT] }],
    ["a refusal", { messages: [{ content: [{ kind: { case: "refusal", value: "no" } }] }] }],
  ])("need nothing for %s", (_what, params) => {
    expect(demandOf(paramsOf(params)).needs).toBe(0);
  });

  it("add needs up", () => {
    const { needs } = demandOf(paramsOf({ messages: messagesWith("file"), tools: [{}], logprobs: true }));
    expect(needs).toBe(Need.FILES | Need.TOOLS | Need.LOGPROBS);
  });
});

describe("demandOf()", () => {
  it("reckons the tokens of texts, arguments, images and messages, and looks at no text", () => {
    const calls = [
      { kind: { case: "function" as const, value: { arguments: "x".repeat(40) } } },
      { kind: { case: "custom" as const, value: { input: "x".repeat(20) } } },
    ];
    const messages = [
      { content: [text("x".repeat(101)), { kind: { case: "imageUrl" as const, value: {} } }] },
      { toolCalls: calls },
    ];
    expect(demandOf(paramsOf({ messages })).promptTokens).toBe(2 * 4 + 85 + Math.ceil((101 + 60) / 4));
  });

  it.each<readonly [string, Params, number, number | undefined]>([
    ["no limits", {}, 1, undefined],
    ["a limit", { n: 3, maxTokens: 9 }, 3, 9],
    ["the newer limit first", { maxTokens: 9, maxCompletionTokens: 7 }, 1, 7],
  ])("reads %s", (_what, params, choices, maxTokens) => {
    expect(demandOf(paramsOf(params))).toMatchObject({ choices, maxTokens });
  });
});
