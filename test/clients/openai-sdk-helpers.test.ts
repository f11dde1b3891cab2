/** The helpers of OpenAI's SDK, which read streams more strictly than plain iteration: `.stream()`, `.parse()`, `.runTools()`. */
import OpenAI from "openai";
import { LengthFinishReasonError } from "openai/error";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { failureOf, until } from "../support/collect.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { openOpenAI, sandbox, say, WEATHER } from "./openai-client.ts";

const ECHO = { model: "sandbox/echo", messages: say("one two three") } as const;

let gateway: TestGateway;
let openai: OpenAI;
beforeAll(async () => {
  gateway = await startTestGateway();
  openai = openOpenAI(gateway.url);
});
afterAll(async () => {
  expect(gateway.openCalls).toBe(0);
  await gateway.stop();
});

describe("chat.completions.stream()", () => {
  it("emits content that adds up, and ends with the whole answer", async () => {
    const params = { ...ECHO, stream_options: { include_usage: true } } as const;
    const whole = await openai.chat.completions.create(ECHO);
    const stream = openai.chat.completions.stream(params);
    const deltas: string[] = [];
    const snapshots: string[] = [];
    const done: string[] = [];
    stream
      .on("content", (delta, snapshot) => {
        deltas.push(delta);
        snapshots.push(snapshot);
      })
      .on("content.done", ({ content }) => done.push(content));
    const final = await stream.finalChatCompletion();
    expect(deltas.length).toBeGreaterThan(2);
    expect(snapshots).toEqual(deltas.map((_, at) => deltas.slice(0, at + 1).join("")));
    expect(done).toEqual(["one two three"]);
    expect(await stream.finalContent()).toBe("one two three");
    expect(await stream.finalMessage()).toMatchObject({ role: "assistant", content: "one two three", refusal: null });
    expect(final).toMatchObject({
      object: "chat.completion",
      model: "sandbox/echo",
      system_fingerprint: whole.system_fingerprint,
      usage: whole.usage,
      choices: [{ index: 0, finish_reason: "stop", message: whole.choices[0]?.message }],
    });
  });

  it("emits the arguments of a tool call, and parses them", async () => {
    const stream = openai.chat.completions.stream({
      model: "auto",
      messages: say("What's the weather in Tokyo?"),
      tools: [zodFunction({ name: "get_weather", parameters: z.object({ city: z.string() }) })],
    });
    const pieces: string[] = [];
    const done: unknown[] = [];
    stream
      .on("tool_calls.function.arguments.delta", ({ arguments_delta }) => pieces.push(arguments_delta))
      .on("tool_calls.function.arguments.done", ({ name, parsed_arguments }) => done.push([name, parsed_arguments]));
    const final = await stream.finalChatCompletion();
    expect(pieces.join("")).toBe('{"city":"Tokyo"}');
    expect(done).toEqual([["get_weather", { city: "Tokyo" }]]);
    expect(final.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: { tool_calls: [{ id: expect.stringMatching(/^call_/), type: "function" }] },
    });
  });

  it("keeps several tool calls apart", async () => {
    const time = { ...WEATHER.function, name: "get_time", description: "Get current time of a city" };
    const stream = openai.chat.completions.stream({
      model: "auto",
      messages: say("What are weather and time in Tokyo?"),
      tools: [WEATHER, { type: "function", function: time }],
    });
    const { tool_calls: calls } = await stream.finalMessage();
    expect(calls?.map((call) => call.type === "function" && [call.function.name, call.function.arguments])).toEqual([
      ["get_weather", '{"city":"Tokyo"}'],
      ["get_time", '{"city":"Tokyo"}'],
    ]);
    expect(new Set(calls?.map(({ id }) => id)).size).toBe(2);
  });

  it("emits log probabilities", async () => {
    const stream = openai.chat.completions.stream({ ...ECHO, logprobs: true });
    const done: string[] = [];
    stream.on("logprobs.content.done", ({ content }) => done.push(content.map(({ token }) => token).join("")));
    await stream.done();
    expect(done).toEqual(["one two three"]);
  });

  it("keeps n choices apart", async () => {
    const params = { model: "auto", messages: say("Hello"), n: 3 } as const;
    const whole = await openai.chat.completions.create(params);
    const { choices } = await openai.chat.completions.stream(params).finalChatCompletion();
    expect(choices.map(({ message }) => message.content)).toEqual(whole.choices.map(({ message }) => message.content));
    expect(choices).toHaveLength(3);
  });

  it("reads legacy function calls", async () => {
    const stream = openai.chat.completions.stream({
      model: "auto",
      messages: say("What's the weather in Tokyo?"),
      functions: [WEATHER.function],
    });
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]).toMatchObject({
      finish_reason: "function_call",
      message: { function_call: { name: "get_weather", arguments: '{"city":"Tokyo"}' } },
    });
  });

  it("ends the call when it is aborted midway", async () => {
    const stream = openai.chat.completions.stream({ ...ECHO, ...sandbox({ token_delay_ms: 60_000 }) });
    const aborted = stream.emitted("abort");
    await stream.emitted("content");
    expect(gateway.openCalls).toBe(1);
    stream.abort();
    expect(await aborted).toBeInstanceOf(OpenAI.APIUserAbortError);
    expect(await failureOf(stream.finalMessage())).toBeInstanceOf(OpenAI.APIUserAbortError);
    await until(() => gateway.openCalls === 0, "no open call");
  });

  it.each([
    ["sandbox/fault-cut", "upstream_stream_interrupted"],
    ["sandbox/fault-error-in-stream", "overloaded"],
  ])("raises what breaks %s after some content", async (model, code) => {
    const stream = openai.chat.completions.stream({ ...ECHO, model });
    const deltas: string[] = [];
    stream.on("content", (delta) => deltas.push(delta));
    const thrown = await failureOf(stream.finalChatCompletion());
    expect(thrown).toBeInstanceOf(OpenAI.APIError);
    expect(thrown).toMatchObject({ code, type: "server_error", status: undefined });
    expect(deltas.join("")).not.toBe("");
  });
});

const PLAN = z.object({
  title: z.string(),
  urgency: z.enum(["low", "high"]),
  budget: z.number().nullable(),
  steps: z.array(z.object({ what: z.string(), minutes: z.number().int() })).min(1),
});
const PLANNED = {
  model: "auto",
  messages: say("Plan my day"),
  response_format: zodResponseFormat(PLAN, "plan"),
} as const;

describe("structured output", () => {
  it("parses a whole answer", async () => {
    const { choices } = await openai.chat.completions.parse(PLANNED);
    const message = choices[0]?.message;
    expect(PLAN.parse(message?.parsed)).toEqual(JSON.parse(message?.content ?? ""));
  });

  it("parses a streamed answer, as it comes and in the end", async () => {
    const whole = await openai.chat.completions.parse(PLANNED);
    const stream = openai.chat.completions.stream(PLANNED);
    const partial: unknown[] = [];
    stream.on("content.delta", ({ parsed }) => partial.push(parsed));
    const { choices } = await stream.finalChatCompletion();
    expect(choices[0]?.message.parsed).toEqual(whole.choices[0]?.message.parsed);
    expect(partial.at(-1)).toEqual(choices[0]?.message.parsed);
    expect(partial.length).toBeGreaterThan(5);
  });

  it("parses the arguments of strict tools", async () => {
    const { choices } = await openai.chat.completions.parse({
      model: "auto",
      messages: say("What's the weather in Tokyo?"),
      tools: [zodFunction({ name: "get_weather", parameters: z.object({ city: z.string() }) })],
    });
    expect(choices[0]?.message.tool_calls).toMatchObject([{ function: { parsed_arguments: { city: "Tokyo" } } }]);
  });

  it("tells an answer that is cut by its limit from one that is whole", async () => {
    const cut = { ...PLANNED, max_completion_tokens: 5 };
    expect(await failureOf(openai.chat.completions.parse(cut))).toBeInstanceOf(LengthFinishReasonError);
    const stream = openai.chat.completions.stream(cut);
    expect(await failureOf(stream.finalChatCompletion())).toBeInstanceOf(LengthFinishReasonError);
  });
});

describe("chat.completions.runTools()", () => {
  const asked: unknown[] = [];
  const params = {
    model: "auto",
    messages: say("What's the weather in Tokyo?"),
    tools: [
      zodFunction({
        name: "get_weather",
        parameters: z.object({ city: z.string() }),
        function: (args) => {
          asked.push(args);
          return "rain";
        },
      }),
    ],
  };

  it.each([
    ["whole", () => openai.chat.completions.runTools(params)],
    ["streamed", () => openai.chat.completions.runTools({ ...params, stream: true })],
  ] as const)("calls the tool and goes on until there is an answer: %s", async (_name, run) => {
    asked.length = 0;
    const runner = run();
    expect(await runner.finalContent()).toBe("get_weather says: rain");
    expect(asked).toEqual([{ city: "Tokyo" }]);
    expect(runner.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "assistant"]);
    expect(runner.allChatCompletions().map(({ choices }) => choices[0]?.finish_reason)).toEqual(["tool_calls", "stop"]);
  });
});
