/** OpenAI's own SDK: whole answers and streams, on all mounts. */
import type OpenAI from "openai";
import type { ChatCompletionChunk } from "openai/resources";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collect, until } from "../support/collect.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { openOpenAI, say, WEATHER } from "./openai-client.ts";

const ECHO = { model: "sandbox/echo", messages: say("one two three") } as const;
const MOUNTS = ["/v1", "", "/api/v1", "/v3/ai"] as const;

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

/** The texts of a stream's choices, in order of their index. */
function textsOf(chunks: readonly ChatCompletionChunk[]): string[] {
  const texts: string[] = [];
  for (const { index, delta } of chunks.flatMap(({ choices }) => choices)) {
    texts[index] = (texts[index] ?? "") + (delta.content ?? "");
  }
  return texts;
}

describe("chat.completions.create()", () => {
  it.each(MOUNTS)('answers in one piece under "%s"', async (mount) => {
    const completion = await openOpenAI(gateway.url, mount).chat.completions.create({
      model: "auto",
      messages: say("Hello"),
    });
    expect(completion).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-/),
      object: "chat.completion",
      model: "sandbox/eliza",
      choices: [
        {
          index: 0,
          finish_reason: "stop",
          logprobs: null,
          message: { role: "assistant", content: expect.stringMatching(/\w/), refusal: null },
        },
      ],
    });
    const { prompt_tokens, completion_tokens, total_tokens } = completion.usage ?? {};
    expect(prompt_tokens).toBeGreaterThan(0);
    expect(total_tokens).toBe((prompt_tokens ?? 0) + (completion_tokens ?? 0));
  });

  it.each([
    ["/v1", false],
    ["", false],
    ["/api/v1", true],
    ["/v3/ai", true],
  ] as const)('streams under "%s"; usage without being asked: %s', async (mount, tellsUsage) => {
    const stream = await openOpenAI(gateway.url, mount).chat.completions.create({ ...ECHO, stream: true });
    const chunks = await collect(stream);
    expect(textsOf(chunks)).toEqual(["one two three"]);
    expect(new Set(chunks.map(({ id, object, model }) => `${id} ${object} ${model}`))).toEqual(
      new Set([`${chunks[0]?.id} chat.completion.chunk sandbox/echo`]),
    );
    expect(chunks.map(({ usage }) => typeof usage?.total_tokens)).toEqual(
      chunks.map((_, at) => (tellsUsage && at === chunks.length - 1 ? "number" : "undefined")),
    );
  });

  it("tells the usage of a stream in its last chunk, and null before, when it is asked to", async () => {
    const whole = await openai.chat.completions.create(ECHO);
    const stream = await openai.chat.completions.create({
      ...ECHO,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await collect(stream);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: whole.usage });
    expect(chunks.slice(0, -1).map(({ usage }) => usage)).toEqual(chunks.slice(1).map(() => null));
  });

  it("gives the request id that the server logs, or takes the client's", async () => {
    const made = await openai.chat.completions.create(ECHO).withResponse();
    expect(made.request_id).toMatch(/^req_\w+$/);
    expect(made.data).toHaveProperty("_request_id", made.request_id);
    const named = await openai.chat.completions.create(ECHO, { headers: { "x-request-id": "mine-1" } });
    expect(named).toHaveProperty("_request_id", "mine-1");
    await until(() => gateway.lines.some(({ requestId }) => requestId === "mine-1"), "a line of the call");
    expect(gateway.lines.map(({ requestId }) => requestId)).toContain(made.request_id);
  });

  it("reports parameters of no effect in a header, and refuses them when the call is strict", async () => {
    const { response } = await openai.chat.completions.create({ ...ECHO, user: "me" }).withResponse();
    expect(response.headers.get("x-parley-adjustments")).toBe("user=dropped");
    const strict = openai.chat.completions.create({ ...ECHO, user: "me" }, { headers: { "x-parley-strict": "true" } });
    await expect(strict).rejects.toMatchObject({ status: 400, code: "unsupported_parameter", param: "user" });
  });

  it("calls tools, and takes their results", async () => {
    const messages = say("What's the weather in Tokyo?");
    const { choices } = await openai.chat.completions.create({ model: "auto", messages, tools: [WEATHER] });
    const [asked] = choices;
    expect(asked).toMatchObject({
      finish_reason: "tool_calls",
      message: {
        content: null,
        tool_calls: [
          {
            id: expect.stringMatching(/^call_/),
            type: "function",
            function: { name: "get_weather", arguments: '{"city":"Tokyo"}' },
          },
        ],
      },
    });
    const message = asked?.message as OpenAI.ChatCompletionMessage;
    const answered = await openai.chat.completions.create({
      model: "auto",
      messages: [
        ...messages,
        message,
        { role: "tool", tool_call_id: message.tool_calls?.[0]?.id ?? "", content: "rain" },
      ],
      tools: [WEATHER],
    });
    expect(answered.choices[0]?.message.content).toBe("get_weather says: rain");
  });

  it("calls legacy functions", async () => {
    const { choices } = await openai.chat.completions.create({
      model: "auto",
      messages: say("What's the weather in Tokyo?"),
      functions: [WEATHER.function],
      function_call: "auto",
    });
    expect(choices[0]).toMatchObject({
      finish_reason: "function_call",
      message: { content: null, function_call: { name: "get_weather", arguments: '{"city":"Tokyo"}' } },
    });
  });

  it("streams n choices side by side, each as it is in the whole answer", async () => {
    const params = { model: "auto", messages: say("Hello"), n: 2 } as const;
    const whole = await openai.chat.completions.create(params);
    const chunks = await collect(await openai.chat.completions.create({ ...params, stream: true }));
    expect(textsOf(chunks)).toEqual(whole.choices.map(({ message }) => message.content));
    expect(textsOf(chunks)).toHaveLength(2);
    const ends = chunks.flatMap(({ choices }) => choices).filter(({ finish_reason }) => finish_reason !== null);
    expect(ends.map(({ finish_reason }) => finish_reason)).toEqual(["stop", "stop"]);
  });

  it("gives log probabilities whose tokens are the text", async () => {
    const params = { ...ECHO, logprobs: true, top_logprobs: 2 };
    const whole = await openai.chat.completions.create(params);
    const tokens = whole.choices[0]?.logprobs?.content ?? [];
    expect(tokens.map(({ token }) => token).join("")).toBe("one two three");
    expect(tokens.map(({ top_logprobs }) => top_logprobs.length)).toEqual(tokens.map(() => 2));
    expect(tokens[0]?.bytes).toEqual([...Buffer.from(tokens[0]?.token ?? "")]);
    const chunks = await collect(await openai.chat.completions.create({ ...params, stream: true }));
    const streamed = chunks.flatMap(({ choices }) => choices[0]?.logprobs?.content ?? []);
    expect(streamed.map(({ token }) => token)).toEqual(tokens.map(({ token }) => token));
  });

  it.each([
    ["stop", { stop: " two" }, "one", "stop"],
    ["a list of stops", { stop: ["three", " two"] }, "one", "stop"],
    ["max_completion_tokens", { max_completion_tokens: 2 }, "one two", "length"],
    ["max_tokens", { max_tokens: 1 }, "one", "length"],
  ])("ends by %s", async (_name, limit, content, finishReason) => {
    const { choices } = await openai.chat.completions.create({ ...ECHO, ...limit });
    expect([choices[0]?.message.content, choices[0]?.finish_reason]).toEqual([content, finishReason]);
  });

  it("shows reasoning under a key that the SDK does not know", async () => {
    const params = { ...ECHO, reasoning_effort: "low" } as const;
    const { choices } = await openai.chat.completions.create(params);
    const [choice] = choices as unknown as [{ message: { reasoning_content: string } }];
    const reasoning = choice.message.reasoning_content;
    expect(reasoning).toMatch(/\w/);
    const chunks = await collect(await openai.chat.completions.create({ ...params, stream: true }));
    const deltas = chunks.flatMap((chunk) => chunk.choices.map(({ delta }) => delta as { reasoning_content?: string }));
    expect(deltas.map((delta) => delta.reasoning_content ?? "").join("")).toBe(reasoning);
  });

  it("takes parts of all kinds that the SDK knows", async () => {
    const { choices } = await openai.chat.completions.create({
      model: "sandbox/echo",
      messages: [
        { role: "developer", content: "Look closely." },
        {
          role: "user",
          content: [
            { type: "text", text: "see" },
            { type: "image_url", image_url: { url: "https://example.com/a.png", detail: "low" } },
            { type: "input_audio", input_audio: { data: "AA==", format: "wav" } },
            { type: "file", file: { file_data: "data:application/pdf;base64,AA==", filename: "a.pdf" } },
          ],
        },
      ],
    });
    expect(choices[0]?.message.content).toBe("see\n[image]\n[audio]\n[file a.pdf]");
  });
});

describe("models", () => {
  it.each(["/v1", "", "/api/v1"])('lists under "%s"', async (mount) => {
    const models = await collect(openOpenAI(gateway.url, mount).models.list());
    const ids = models.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(["auto", "sandbox/echo", "sandbox/eliza"]));
    expect(ids).toEqual([...ids].sort());
    expect(new Set(models.map(({ object }) => object))).toEqual(new Set(["model"]));
  });

  it.each([
    ["auto", { id: "auto", object: "model", owned_by: "parley" }],
    [
      "sandbox/eliza",
      {
        id: "sandbox/eliza",
        object: "model",
        created: expect.any(Number),
        owned_by: "sandbox",
        context_window: 128_000,
        max_output_tokens: 4_096,
        input_modalities: ["text", "image", "audio", "video", "file"],
        output_modalities: ["text"],
        tools: true,
        pricing: { input: 0, output: 0 },
      },
    ],
    ["eliza", { id: "sandbox/eliza", object: "model", owned_by: "sandbox" }],
  ])("retrieves %s", async (id, expected) => {
    expect(await openai.models.retrieve(id)).toMatchObject(expected);
  });

  it("does not find others", async () => {
    await expect(openai.models.retrieve("nobody/nothing")).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
    });
  });
});
