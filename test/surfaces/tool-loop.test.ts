/** Thoughts and their signatures survive a loop of tools, with whatever client, and never reach anybody else. */
import type { JsonObject } from "@bufbuild/protobuf";
import type OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { ChatCompletionChunk } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { MessageSchema } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { encodeJson } from "../../src/openai-json/encode.ts";
import { openOpenAI } from "../clients/openai-client.ts";
import { collect } from "../support/collect.ts";
import { DOORS, openDoor } from "../support/doors.ts";
import { fold } from "../support/fold.ts";
import { startTestGateway } from "../support/gateway.ts";
import { answerThinking, THINKERS, type Thinker } from "../support/thinkers.ts";
import { useVendors } from "../support/use-vendors.ts";
import type { Vendors } from "../support/vendors.ts";

const thinkers: readonly Thinker[] = Object.values(THINKERS);
const entries = (vendors: Vendors): JsonObject[] => thinkers.map(({ entry }) => entry(vendors));
const { vendors, gateway } = useVendors({ providers: entries, answer: answerThinking });

/** Asks, and returns the answer's message, as OpenAI's JSON. */
type Ask = (url: string, body: JsonObject) => Promise<JsonObject>;

const sdkParams = (body: JsonObject) => body as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming;

const CLIENTS: Readonly<Record<string, Ask>> = {
  "the SDK": async (url, body) => {
    const { choices } = await openOpenAI(url).chat.completions.create(sdkParams(body));
    return choices[0]?.message as unknown as JsonObject;
  },
  "the SDK's helper of streams": async (url, body) => {
    const stream = openOpenAI(url).chat.completions.stream({ ...sdkParams(body), stream: true });
    return (await stream.finalMessage()) as unknown as JsonObject;
  },
  ...Object.fromEntries(
    DOORS.flatMap((name): [string, Ask][] => [
      [
        name,
        async (url, body) => {
          const door = openDoor(name, url);
          const { choices } = await door.complete(decodeJson(ChatCompletionParamsSchema, body));
          door.close();
          return encodeJson(MessageSchema, choices[0]?.message ?? decodeJson(MessageSchema, {}));
        },
      ],
      [
        `a stream on ${name}`,
        async (url, body) => {
          const door = openDoor(name, url);
          const chunks: ChatCompletionChunk[] = await collect(
            door.stream(decodeJson(ChatCompletionParamsSchema, body)),
          );
          door.close();
          return encodeJson(MessageSchema, fold(chunks).choices[0]?.message ?? decodeJson(MessageSchema, {}));
        },
      ],
    ]),
  ),
};

const TOOLS = [
  {
    type: "function",
    function: { name: "look", parameters: { type: "object", properties: { city: { type: "string" } } } },
  },
];

const question = (model: string): JsonObject => ({
  model,
  messages: [{ role: "user", content: "How is it in A and B?" }],
  tools: TOOLS,
  reasoning_effort: "high",
});

interface Call {
  readonly id: string;
  readonly type: string;
  readonly function: { readonly name: string; readonly arguments: string };
}

const callsOf = (message: JsonObject): Call[] => message["tool_calls"] as unknown as Call[];

/** What is left of a message with a client that knows OpenAI's fields only. */
const stripped = (message: JsonObject): JsonObject => ({
  role: "assistant",
  content: message["content"] ?? null,
  tool_calls: callsOf(message).map(({ id, type, function: { name, arguments: text } }) => ({
    id,
    type,
    function: { name, arguments: text },
  })),
});

/** The next request, with the result of each call. */
const withResults = (body: JsonObject, message: JsonObject): JsonObject => ({
  ...body,
  messages: [
    ...(body["messages"] as JsonObject[]),
    message,
    ...callsOf(message).map(({ id, function: { arguments: text } }) => ({
      role: "tool",
      tool_call_id: id,
      content: `It rains at ${text}.`,
    })),
  ],
});

/** Answers, and returns the body that the vendor got for it. */
async function answer(ask: Ask, body: JsonObject, url = gateway().url): Promise<JsonObject> {
  const before = vendors().calls().length;
  const message = await ask(url, body);
  expect(message["content"]).toBe("Hello");
  const calls = vendors().calls().slice(before);
  expect(calls).toHaveLength(1);
  return calls[0]?.body ?? {};
}

const PAIRS = Object.keys(CLIENTS).flatMap((client) =>
  thinkers.map((thinker) => [client, thinker.model, thinker] as const),
);

describe("a loop of tools", () => {
  it.each(PAIRS)("gives thoughts back that the client kept: %s, %s", async (client, model, { wanted, readBack }) => {
    const ask = CLIENTS[client] as Ask;
    const message = await ask(gateway().url, question(model));
    expect(callsOf(message).map((call) => call.function)).toEqual([
      { name: "look", arguments: '{"city":"A"}' },
      { name: "look", arguments: '{"city":"B"}' },
    ]);
    expect(readBack(await answer(ask, withResults(question(model), message)))).toEqual(wanted);
  });

  it.each(PAIRS)("gives thoughts back that the client stripped: %s, %s", async (client, model, thinker) => {
    const { wanted, readBack } = thinker;
    const ask = CLIENTS[client] as Ask;
    const message = await ask(gateway().url, question(model));
    expect(readBack(await answer(ask, withResults(question(model), stripped(message))))).toEqual(wanted);
  });
});

describe("a loop of tools without reasoning in the answers", () => {
  it.each(
    thinkers.map((thinker) => [thinker.model, thinker] as const),
  )("still gives the vendor its own back: %s", async (model, { wanted, readBack, secrets }) => {
    const sdk = openOpenAI(gateway().url, "/v1", { defaultHeaders: { "x-parley-include-reasoning": "false" } });
    const params = sdkParams(question(model));
    const whole = (await sdk.chat.completions.create(params)).choices[0]?.message;
    const streamed = await sdk.chat.completions.stream({ ...params, stream: true }).finalMessage();
    for (const message of [whole, streamed] as unknown as JsonObject[]) {
      expect([message["reasoning_content"], message["reasoning_details"]]).toEqual([undefined, undefined]);
      const body = await answer(CLIENTS["the SDK"] as Ask, withResults(question(model), stripped(message)));
      expect([readBack(body), secrets.every((secret) => JSON.stringify(body).includes(secret))]).toEqual([
        wanted,
        true,
      ]);
    }
  });
});

describe("a loop of several rounds", () => {
  it.each(
    thinkers.map((thinker) => [thinker.model, thinker] as const),
  )("gives back the thoughts of each: %s", async (model, { wanted, readBack }) => {
    const ask = CLIENTS["the SDK's helper of streams"] as Ask;
    const first = await ask(gateway().url, question(model));
    // The vendors think again when the user speaks again.
    const again = withResults(question(model), stripped(first));
    const spoken = {
      ...again,
      messages: [...(again["messages"] as JsonObject[]), { role: "user", content: "And now?" }],
    };
    const second = await ask(gateway().url, spoken);
    const body = await answer(ask, withResults(spoken, stripped(second)));
    expect(readBack(body)).toEqual(wanted);
    const text = JSON.stringify(body);
    expect(thoughtsIn(model, text)).toBe(2);
  });
});

/** How often what a vendor must get back is in a request. */
const thoughtsIn = (model: string, body: string): number => {
  const [mark] = [...(thinkers.find((thinker) => thinker.model === model)?.secrets ?? []), '"reasoning_content":"Two'];
  return body.split(mark ?? "").length - 1;
};

const familyOf = ({ model }: Thinker): string => /claude|gemini|deepseek/.exec(model)?.[0] ?? "";

const SWITCHES = thinkers.flatMap((from) =>
  [...thinkers.map((to) => [familyOf(to), to.model] as const), ["gemini", "openrouter/google/gemini-3-pro"] as const]
    .filter(([family]) => family !== familyOf(from))
    .map(([, to]) => [from.model, to, from] as const),
);

describe("a loop of tools that another vendor goes on with", () => {
  it.each(SWITCHES)("tells it none of the signatures: %s, %s", async (from, to, { secrets }) => {
    for (const ask of [CLIENTS["the SDK"], CLIENTS["the SDK's helper of streams"], CLIENTS["grpc"]] as Ask[]) {
      const message = await ask(gateway().url, question(from));
      for (const sent of [message, stripped(message)]) {
        const text = JSON.stringify(await answer(ask, withResults(question(to), sent)));
        expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
      }
    }
  });

  it("gives signatures to the same models at another vendor, which can read them", async () => {
    const ask = CLIENTS["the SDK"] as Ask;
    const { anthropic, openrouter } = THINKERS;
    const message = await ask(gateway().url, question(openrouter.model));
    const sent = await answer(ask, withResults(question(anthropic.model), message));
    expect((anthropic.readBack(sent) as JsonObject[]).slice(0, 2)).toEqual([
      { type: "thinking", thinking: "Two cities, and so two looks.", signature: "signed-for-openrouter" },
      { type: "redacted_thinking", data: "hidden-for-openrouter" },
    ]);
  });
});

describe("a gateway that started anew", () => {
  /** The body of the second request, when the gateway of the first one is gone, with all that it kept. */
  async function acrossRestart(
    ask: Ask,
    model: string,
    change: (message: JsonObject) => JsonObject,
  ): Promise<JsonObject> {
    const message = await ask(gateway().url, question(model));
    const next = await startTestGateway({ providers: entries(vendors()) });
    try {
      return await answer(ask, withResults(question(model), change(message)), next.url);
    } finally {
      await next.stop();
    }
  }

  const asked = ["the SDK", "grpc", "a stream on rest", "a stream on connect"];
  const pairs = asked.flatMap((client) => thinkers.map((thinker) => [client, thinker.model, thinker] as const));

  it.each(pairs)("still has thoughts that the client kept: %s, %s", async (client, model, { wanted, readBack }) => {
    expect(readBack(await acrossRestart(CLIENTS[client] as Ask, model, (message) => message))).toEqual(wanted);
  });

  it("does without Anthropic's thoughts, and does not let it think on", async () => {
    const { model } = THINKERS.anthropic;
    const body = await acrossRestart(CLIENTS["the SDK"] as Ask, model, stripped);
    expect(body["thinking"]).toEqual({ type: "disabled" });
    expect(THINKERS.anthropic.readBack(body)).toEqual(THINKERS.anthropic.wanted.slice(2));
  });

  it("tells Google that the signature is lost", async () => {
    const body = await acrossRestart(CLIENTS["the SDK"] as Ask, THINKERS.google.model, stripped);
    expect(THINKERS.google.readBack(body)).toEqual([
      {
        functionCall: { name: "look", args: { city: "A" } },
        thoughtSignature: "skip_thought_signature_validator",
      },
      { functionCall: { name: "look", args: { city: "B" } } },
    ]);
  });

  it("gives DeepSeek an empty thought, and OpenRouter none", async () => {
    const ask = CLIENTS["the SDK"] as Ask;
    const { deepseek, openrouter } = THINKERS;
    expect(deepseek.readBack(await acrossRestart(ask, deepseek.model, stripped))).toBe("");
    expect(openrouter.readBack(await acrossRestart(ask, openrouter.model, stripped))).toBeUndefined();
  });
});
