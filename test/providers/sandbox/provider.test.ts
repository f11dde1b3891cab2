import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../../src/errors/gateway-error.ts";
import { type ChatCompletion, FinishReason, ServiceTier } from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../../src/gen/parley/chat/v1/message_pb.ts";
import {
  ChatCompletionParamsSchema,
  OutputModality,
  ReasoningEffort,
} from "../../../src/gen/parley/chat/v1/params_pb.ts";
import { Adjustment_Action } from "../../../src/gen/parley/chat/v1/report_pb.ts";
import { Grammar_Syntax } from "../../../src/gen/parley/chat/v1/tool_pb.ts";
import { createSandbox } from "../../../src/providers/sandbox/provider.ts";
import { countTokens } from "../../../src/providers/sandbox/tokens/tokens.ts";
import type { Step } from "../../../src/providers/script.ts";

type Params = MessageInitShape<typeof ChatCompletionParamsSchema>;

const sandbox = createSandbox({ tokenDelayMs: 7 });
const user = (value: string) => ({ role: Role.USER, content: [{ kind: { case: "text" as const, value } }] });
const paramsOf = (params: Params) => create(ChatCompletionParamsSchema, params);
const plan = (params: Params) => sandbox.plan("echo", paramsOf(params));
const steps = (model: string, params: Params): Step<ChatCompletion>[] => [
  ...sandbox.complete(model, paramsOf(params), plan(params)),
];
function answer(model: string, params: Params): ChatCompletion {
  const last = steps(model, params).at(-1);
  if (last?.kind !== "output") throw new Error("no answer");
  return last.value;
}
const textOf = (completion: ChatCompletion, index = 0): unknown =>
  completion.choices[index]?.message?.content[0]?.kind.value;
const streamSteps = (model: string, params: Params) => [...sandbox.stream(model, paramsOf(params), plan(params))];
const refusal = (params: Params): unknown => {
  try {
    plan(params);
  } catch (thrown) {
    return GatewayError.from(thrown).details.param;
  }
  return undefined;
};

const fn = (name: string, description = "") => ({ kind: { case: "function" as const, value: { name, description } } });
const grammar = (syntax: Grammar_Syntax, definition: string) => ({
  kind: {
    case: "custom" as const,
    value: { name: "code", format: { kind: { case: "grammar" as const, value: { syntax, definition } } } },
  },
});

describe("createSandbox()", () => {
  it("gives the same call the same answer, and another seed may give another", () => {
    const ask = (seed: bigint) => textOf(answer("eliza", { messages: [user("I feel fine")], seed }));
    expect(ask(1n)).toBe(ask(1n));
    expect(new Set(Array.from({ length: 20 }, (_, seed) => ask(BigInt(seed)))).size).toBeGreaterThan(1);
  });

  it("gives one answer at temperature 0, whatever the seed", () => {
    const ask = (seed: bigint) => textOf(answer("eliza", { messages: [user("I feel fine")], seed, temperature: 0 }));
    expect(new Set(Array.from({ length: 20 }, (_, seed) => ask(BigInt(seed)))).size).toBe(1);
  });

  it("counts tokens with the tokenizer", () => {
    const { usage } = answer("echo", { messages: [user("one two three")] });
    expect(usage).toMatchObject({
      promptTokens: 3 + 3 + 1 + countTokens("one two three"),
      completionTokens: 3,
      totalTokens: 13,
    });
  });

  it("counts reasoning as part of the answer, and against its limit", () => {
    const params = { messages: [user("one two three")], reasoningEffort: ReasoningEffort.HIGH };
    const whole = answer("echo", params);
    const reasoning = whole.usage?.completionTokensDetails?.reasoningTokens ?? 0;
    expect(reasoning).toBeGreaterThan(10);
    expect(whole.usage?.completionTokens).toBe(reasoning + 3);
    const short = answer("echo", { ...params, maxCompletionTokens: reasoning + 1 });
    expect([textOf(short), short.usage?.completionTokens]).toEqual(["one", reasoning + 1]);
  });

  it.each([
    ["a word of its name", "What is the weather in Rome?", ["get_weather"]],
    ["a word of its description", "Any flights to Rome?", ["book"]],
    ["several", "weather and flight please", ["get_weather", "book"]],
    ["nothing in common", "Hello", []],
  ])("calls tools by %s", (_name, said, names) => {
    const tools = [fn("get_weather"), fn("book", "Books a flight")];
    const [choice] = answer("eliza", { messages: [user(said)], tools }).choices;
    expect(choice?.message?.toolCalls.map(({ kind }) => kind.value?.name)).toEqual(names);
  });

  it("calls one tool at a time when it must", () => {
    const tools = [fn("get_weather"), fn("book", "Books a flight")];
    const params = { messages: [user("weather and flight please")], tools, parallelToolCalls: false };
    expect(answer("eliza", params).choices[0]?.message?.toolCalls).toHaveLength(1);
  });

  it("calls a tool without parameters with an empty object", () => {
    const [choice] = answer("eliza", { messages: [user("ping")], tools: [fn("ping")] }).choices;
    expect(choice?.message?.toolCalls[0]?.kind.value).toMatchObject({ arguments: "{}" });
  });

  it("writes the input of a custom tool by its grammar", () => {
    const tools = [grammar(Grammar_Syntax.REGEX, "[a-c]{4}-[0-9]{2}")];
    const [choice] = answer("eliza", { messages: [user("some code")], tools }).choices;
    expect(choice?.message?.toolCalls[0]?.kind.value).toMatchObject({
      input: expect.stringMatching(/^[a-c]{4}-\d{2}$/),
    });
  });

  it("gives log probabilities that are a distribution, with the token among the likeliest", () => {
    const { choices } = answer("echo", { messages: [user("one two")], logprobs: true, topLogprobs: 5 });
    const content = choices[0]?.logprobs?.content ?? [];
    expect(content.map(({ token }) => token)).toEqual(["one", " two"]);
    for (const { token, logprob, topLogprobs, bytes } of content) {
      const sum = topLogprobs.reduce((total, top) => total + Math.exp(top.logprob), 0);
      expect([topLogprobs[0]?.token, topLogprobs[0]?.logprob]).toEqual([token, logprob]);
      expect(new Set(topLogprobs.map((top) => top.token)).size).toBe(5);
      expect(sum).toBeLessThanOrEqual(1);
      expect(new TextDecoder().decode(bytes)).toBe(token);
    }
  });

  it("waits between the tokens of a stream, as configured or as asked, and not before the first", () => {
    const waits = (params: Params) =>
      streamSteps("echo", { messages: [user("one two three")], ...params }).flatMap((step) =>
        step.kind === "wait" ? [step.ms] : [],
      );
    expect(waits({})).toEqual([7, 7]);
    expect(waits({ extra: { sandbox: { token_delay_ms: 2 } } })).toEqual([2, 2]);
    expect(waits({ extra: { sandbox: { token_delay_ms: 0, start_delay_ms: 9 } } })).toEqual([9]);
  });

  it("waits before a whole answer only when the call asks for it", () => {
    const messages = [user("one two three")];
    expect(steps("echo", { messages }).map(({ kind }) => kind)).toEqual(["output"]);
    const [wait] = steps("echo", { messages, extra: { sandbox: { token_delay_ms: 5 } } });
    expect(wait).toEqual({ kind: "wait", ms: 15 });
  });

  it.each([
    ["cut", ["output", "output", "output", "output"]],
    ["stall", ["output", "output", "output", "output", "wait"]],
    ["bad-json", ["output", "output", "output", "output", "fail"]],
    ["error-in-stream", ["output", "output", "output", "output", "fail"]],
    ["429", ["fail"]],
    ["empty", ["fail"]],
  ])("fault-%s: a role and three tokens at the most, then the fault", (fault, kinds) => {
    const params = {
      messages: [user("Hello there, tell me about streaming")],
      extra: { sandbox: { token_delay_ms: 0 } },
    };
    const seen = streamSteps(`fault-${fault}`, params).map(({ kind }) => kind);
    expect(kinds[0] === "fail" ? seen.slice(0, 1) : seen).toEqual(kinds);
  });

  const rows = (minItems: number): Params => ({
    messages: [user("a")],
    responseFormat: {
      format: {
        case: "jsonSchema",
        value: {
          name: "rows",
          definition: { case: "schema", value: { type: "array", minItems, items: { type: "integer" } } },
        },
      },
    },
  });
  it("bounds the work on schemas of all choices together", () => {
    expect(textOf(answer("eliza", rows(1_500)))).toMatch(/^\[\d+(,\d+){1499}\]$/);
    expect(answer("eliza", { ...rows(100), n: 128 }).choices).toHaveLength(128);
    expect(() => steps("eliza", { ...rows(3_000), n: 128 })).toThrow("more than 31250 steps of work");
  });

  it("bounds the log probabilities of a whole answer, and not those of a stream", () => {
    const params = { messages: [user("one two ".repeat(2_000))], n: 3, logprobs: true, topLogprobs: 20 };
    expect(() => steps("echo", params)).toThrow("252063 log probabilities");
    expect(streamSteps("echo", { ...params, extra: { sandbox: { token_delay_ms: 0 } } }).length).toBeGreaterThan(
      12_000,
    );
  });

  it("counts the name of a tool against the limit, too", () => {
    const params = { messages: [user("weather")], tools: [fn("get_weather")] };
    const name = countTokens("get_weather");
    const limited = (maxCompletionTokens: number) => {
      const { choices, usage } = answer("eliza", { ...params, maxCompletionTokens });
      return [choices[0]?.message?.toolCalls.length, FinishReason[choices[0]!.finishReason], usage?.completionTokens];
    };
    expect(limited(name - 1)).toEqual([0, "LENGTH", 0]);
    expect(limited(name)).toEqual([1, "LENGTH", name]);
    expect(limited(name + 1)).toEqual([1, "TOOL_CALLS", name + 1]);
  });

  it("reports what has no effect, by path, and nothing else", () => {
    const { adjustments } = plan({
      model: "sandbox/echo",
      messages: [
        { ...user("a"), name: "Ann", extra: { mood: "good" } },
        {
          role: Role.ASSISTANT,
          toolCalls: [{ id: "c", kind: { case: "function", value: { name: "f" } }, extra: { cost: 1 } }],
          reasoningDetails: [{ text: "Hm", extra: { cost: 2 } }],
        },
      ],
      temperature: 1,
      topP: 0.5,
      seed: 1n,
      topK: 3,
      presencePenalty: 0,
      frequencyPenalty: 1,
      logitBias: { 1: 2 },
      store: false,
      user: "u",
      serviceTier: ServiceTier.FLEX,
      maxTokens: 5,
      maxCompletionTokens: 9_999,
      extra: { min_p: 0.1, sandbox: {} },
    });
    expect(adjustments.map(({ path, action }) => `${path} ${Adjustment_Action[action]}`).sort()).toEqual([
      "frequency_penalty DROPPED",
      "logit_bias DROPPED",
      "max_completion_tokens CLAMPED",
      "max_tokens DROPPED",
      "messages[0].mood DROPPED",
      "messages[0].name DROPPED",
      "messages[1].reasoning_details[0].cost DROPPED",
      "messages[1].tool_calls[0] MAPPED",
      "messages[1].tool_calls[0].cost DROPPED",
      "min_p DROPPED",
      "service_tier MAPPED",
      "top_k DROPPED",
      "user DROPPED",
    ]);
  });

  it.each([
    ["audio output", { modalities: [OutputModality.AUDIO], audio: {} }, "modalities"],
    ["screening", { moderation: { model: "m" } }, "moderation"],
    ["a lark grammar", { tools: [grammar(Grammar_Syntax.LARK, "start: A")] }, "tools[0].custom.format.grammar.syntax"],
    ["a knob out of its bounds", { extra: { sandbox: { token_delay_ms: -1 } } }, "sandbox.token_delay_ms"],
    ["knobs that are no object", { extra: { sandbox: 3 } }, "sandbox"],
    ["more than its context", { messages: [user("a ".repeat(140_000))] }, "messages"],
    ["far more than its context", { messages: [user("a".repeat(3_000_000))] }, "messages"],
    [
      "tools far larger than its context",
      { messages: [user("a")], tools: [fn("f", "a".repeat(3_000_000))] },
      "messages",
    ],
  ] as [string, Params, string][])("refuses %s", (_name, params, param) => {
    expect(refusal(params)).toBe(param);
  });
});
