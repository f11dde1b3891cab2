/** What a model cannot take as it is asked for is told on every door, refused where the call is strict, and never hidden. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { type ChatCompletionParams, ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { Adjustment_Action, type CallReport } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { collect, failureOf, until } from "../support/collect.ts";
import type { DoorError } from "../support/door-error.ts";
import { DOORS } from "../support/doors.ts";
import { TYPED_DOORS } from "../support/typed-doors.ts";
import { KEY, threeFamilies, useVendors } from "../support/use-vendors.ts";

const { vendors, gateway, door, typed } = useVendors({ providers: threeFamilies });

const PROMPT = "a prompt that nobody logs";
const ask = (model: string, params: JsonObject): JsonObject => ({
  model,
  messages: [{ role: "user", content: PROMPT }],
  ...params,
});
const paramsOf = (body: JsonObject): ChatCompletionParams => decodeJson(ChatCompletionParamsSchema, body);

/** Path, action, value before and after (null: it is not told), and why. */
type Told = readonly [path: string, action: string, before: JsonValue, after: JsonValue, reason: string];

const WORDS = "words of somebody";

const CASES: readonly (readonly [name: string, body: JsonObject, told: readonly Told[]])[] = [
  [
    "OpenAI",
    ask("openai/gpt-5", { temperature: 0.5, max_tokens: 100, top_k: 5, mystery: WORDS }),
    [
      ["temperature", "dropped", 0.5, null, "the model does not take it"],
      ["top_k", "dropped", 5, null, "OpenAI draws by temperature and top_p only"],
      ["mystery", "dropped", null, null, "OpenAI refuses parameters that it does not know"],
      [
        "max_tokens",
        "mapped",
        100,
        { max_completion_tokens: 100 },
        "the model knows the limit of tokens by this name only",
      ],
    ],
  ],
  [
    "Mistral",
    ask("mistral/mistral-large", { max_completion_tokens: 100, store: true, user: WORDS, logit_bias: { "1": 5 } }),
    [
      ["store", "dropped", true, null, "the server does not take it"],
      ["user", "dropped", null, null, "the server does not take it"],
      ["logit_bias", "dropped", null, null, "the server does not take it"],
      [
        "max_completion_tokens",
        "mapped",
        100,
        { max_tokens: 100 },
        "the model knows the limit of tokens by this name only",
      ],
    ],
  ],
  [
    "Anthropic",
    ask("anthropic/claude-sonnet-4-5", {
      temperature: 1.5,
      top_p: 0.5,
      max_tokens: 100_000,
      seed: 7,
      frequency_penalty: 1,
      stop: ["END", " "],
      service_tier: "flex",
      verbosity: "low",
      metadata: { a: WORDS },
      mystery: WORDS,
    }),
    [
      ["frequency_penalty", "dropped", 1, null, "Anthropic has no penalties"],
      ["seed", "dropped", 7, null, "Anthropic has no seed"],
      ["verbosity", "dropped", "low", null, "Anthropic has no such parameter"],
      ["metadata", "dropped", null, null, "Anthropic keeps no completions that labels could stand on"],
      ["max_tokens", "clamped", 100_000, 64_000, "this model's answers have at most 64000 tokens"],
      ["mystery", "dropped", null, null, "Anthropic has no such parameter"],
      ["temperature", "clamped", 1.5, 1, "Anthropic takes 0 to 1"],
      ["top_p", "dropped", 0.5, null, "this model takes temperature or top_p, and temperature is set"],
      ["stop[1]", "dropped", " ", null, "Anthropic refuses stop sequences of white space alone"],
      ["service_tier", "dropped", "flex", null, "Anthropic has no such tier that a call could choose"],
    ],
  ],
  [
    "Google",
    ask("google/gemini-3-flash-preview", {
      seed: 2_147_483_653,
      presence_penalty: 1,
      reasoning_effort: "max",
      user: WORDS,
      service_tier: "fast",
      mystery: { a: [WORDS] },
    }),
    [
      ["user", "dropped", null, null, "Gemini takes no name of an end user"],
      ["reasoning_effort", "mapped", "max", "HIGH", "the model is told how much to think by its own levels"],
      ["presence_penalty", "dropped", 1, null, "the model takes no penalties"],
      ["seed", "mapped", 2_147_483_653, 5, "Gemini takes seeds from 0 to 2^31 - 1"],
      ["mystery", "dropped", null, null, "Gemini has no such parameter"],
      ["service_tier", "mapped", "fast", "priority", "Gemini's fast tier is called so"],
    ],
  ],
];

const SPEECH = { format: "wav", voice: "alloy" };

const told = (report: CallReport | undefined): Told[] =>
  (report?.adjustments ?? []).map(({ path, action, before, after, reason }) => [
    path,
    Adjustment_Action[action].toLowerCase(),
    before === undefined ? null : toJson(ValueSchema, before),
    after === undefined ? null : toJson(ValueSchema, after),
    reason,
  ]);

const post = (body: JsonObject, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${gateway().url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

describe("adjustments", () => {
  it.each(CASES)("are the same in all reports: %s", async (_name, body, expected) => {
    for (const name of TYPED_DOORS) {
      const { chat } = typed(name);
      const { report } = await chat.createChatCompletion({ params: paramsOf(body) });
      const messages = await collect(chat.streamChatCompletion({ params: paramsOf(body) }));
      const reports = [report, messages[0]?.report, messages.at(-1)?.report];
      expect(reports.map(told)).toEqual([expected, expected, expected]);
    }
  });

  it.each(TYPED_DOORS)("tell numbers with all their digits on %s", async (name) => {
    const params = { ...paramsOf(ask("google/gemini-3-flash-preview", {})), seed: 2n ** 53n + 1n };
    const { report } = await typed(name).chat.createChatCompletion({ params });
    expect(told(report)).toEqual([["seed", "mapped", "9007199254740993", 1, "Gemini takes seeds from 0 to 2^31 - 1"]]);
  });

  it.each(CASES)("are in a header on REST, and in the log without values: %s", async (name, body, expected) => {
    const words = expected.map(([path, action]) => `${path}=${action}`);
    for (const stream of [false, true]) {
      const id = `honest-${name}-${stream}`;
      const answer = await post({ ...body, stream }, { "x-request-id": id });
      expect([answer.status, answer.headers.get("x-parley-adjustments")]).toEqual([200, words.join(", ")]);
      await answer.text();
      const line = () => gateway().lines.find(({ requestId }) => requestId === id);
      await until(() => line() !== undefined, "the call is logged");
      expect(line()).toMatchObject({ msg: "call", adjustments: words });
    }
    const log = JSON.stringify(gateway().lines);
    expect([WORDS, PROMPT, KEY].filter((secret) => log.includes(secret))).toEqual([]);
  });

  it.each(CASES)("leave nothing of what is dropped in what is sent: %s", async (_name, body, expected) => {
    const before = vendors().calls().length;
    await (await post(body)).text();
    const [call] = vendors().calls().slice(before);
    const dropped = expected.flatMap(([path, action]) => (action === "dropped" ? [path] : []));
    expect(dropped.filter((path) => Object.hasOwn(call?.body ?? {}, path))).toEqual([]);
    expect(call?.request.body).toContain(PROMPT);
    expect(call?.request.body).not.toContain(WORDS);
  });
});

describe("a strict call", () => {
  it.each(CASES)("with adjustments is refused before anybody is called: %s", async (_name, body, expected) => {
    const [param, action, , , reason] = expected[0] as Told;
    const before = vendors().calls().length;
    for (const name of DOORS) {
      const { complete, stream } = door(name);
      const failures = [
        await failureOf(complete(paramsOf(body), { options: { strict: true } })),
        await failureOf(collect(stream(paramsOf(body), { options: { strict: true } }))),
      ];
      for (const failure of failures) {
        expect(failure).toMatchObject({
          message: `${param} would be ${action} for ${String(body["model"])}: ${reason}; the call is strict`,
          type: "invalid_request_error",
          code: "unsupported_parameter",
          param,
          status: name === "rest" ? 400 : Code.InvalidArgument,
        });
        expect((failure as DoorError).details).toEqual(
          name === "rest"
            ? undefined
            : {
                reason: "parley: UNSUPPORTED_PARAMETER",
                fields: expected.map(([path]) => `params.${path}`),
                quotas: [],
              },
        );
      }
    }
    expect(vendors().calls().length).toBe(before);
  });

  it.each([
    ["OpenAI", "openai/gpt-5", { max_completion_tokens: 50, reasoning_effort: "low", seed: 1, user: "u" }],
    ["OpenAI, older", "openai/gpt-4o", { max_tokens: 50, temperature: 0.5, top_p: 0.9, stop: "END", seed: 1, n: 2 }],
    ["Mistral", "mistral/mistral-large", { max_tokens: 50, temperature: 0.5, seed: 1, stop: ["END"] }],
    ["Anthropic", "anthropic/claude-sonnet-4-5", { max_tokens: 50, temperature: 0.5, stop: "END", top_k: 3 }],
    ["Anthropic, newer", "anthropic/claude-opus-4-7", { max_tokens: 5000, reasoning_effort: "medium", temperature: 1 }],
    ["Google", "google/gemini-3-flash-preview", { max_tokens: 50, temperature: 0.5, top_k: 3, seed: 1, stop: "END" }],
    ["Google, older", "google/gemini-2.5-flash", { max_tokens: 50, reasoning_effort: "low", n: 2, top_p: 0.5 }],
  ])("with nothing unusual is answered, by %s", async (_name, model, params) => {
    const tool = { name: "look", description: "Looks.", parameters: { type: "object", properties: {} } };
    const tools = [{ type: "function", function: tool }];
    const body = ask(model, { ...params, tools, tool_choice: "auto", n: 1, frequency_penalty: 0, store: false });
    for (const name of DOORS) {
      const { complete, stream } = door(name);
      const completion = await complete(paramsOf(body), { options: { strict: true } });
      const chunks = await collect(stream(paramsOf(body), { options: { strict: true } }));
      expect(completion.choices[0]?.message?.content[0]?.kind.value).toBe("Hello");
      expect(chunks.map(({ choices }) => choices[0]?.delta?.content ?? "").join("")).toBe("Hello");
    }
  });
});

const AUDIO = { type: "input_audio", input_audio: { data: "UklGRiQAAABXQVZF", format: "wav" } };
const WITH_AUDIO = { messages: [{ role: "user", content: [{ type: "text", text: PROMPT }, AUDIO] }] };
const schema = (schema: JsonObject, strict = true): JsonObject => ({
  response_format: { type: "json_schema", json_schema: { name: "form", strict, schema } },
});

describe("what would change the meaning", () => {
  it.each<[string, string, JsonObject, string]>([
    ["several answers", "anthropic/claude-sonnet-4-5", { n: 2 }, "n"],
    ["several answers", "google/gemini-3-flash-preview", { n: 2 }, "n"],
    ["log probabilities", "anthropic/claude-sonnet-4-5", { logprobs: true }, "logprobs"],
    ["log probabilities", "openai/o3", { logprobs: true, top_logprobs: 2 }, "logprobs"],
    ["log probabilities", "mistral/mistral-large", { logprobs: true }, "logprobs"],
    ["speech", "anthropic/claude-sonnet-4-5", { modalities: ["text", "audio"], audio: SPEECH }, "modalities"],
    ["speech", "google/gemini-3-flash-preview", { modalities: ["text", "audio"], audio: SPEECH }, "modalities"],
    ["hearing", "anthropic/claude-sonnet-4-5", WITH_AUDIO, "messages[0].content[1].input_audio"],
    ["screening", "anthropic/claude-sonnet-4-5", { moderation: { model: "m" } }, "moderation"],
    ["screening", "google/gemini-3-flash-preview", { moderation: { model: "m" } }, "moderation"],
    ["screening", "mistral/mistral-large", { moderation: { model: "m" } }, "moderation"],
    [
      "a schema that refers to itself",
      "anthropic/claude-opus-5-5",
      schema({
        type: "object",
        properties: { next: { $ref: "#" } },
        required: ["next"],
        additionalProperties: false,
      }),
      "response_format.json_schema.schema",
    ],
    [
      "a grammar",
      "mistral/mistral-large",
      {
        tools: [
          {
            type: "custom",
            custom: { name: "say", format: { type: "grammar", grammar: { syntax: "lark", definition: "start: /a/" } } },
          },
        ],
      },
      "tools[0].custom",
    ],
  ])("is refused always: %s of %s", async (_what, model, params, param) => {
    const before = vendors().calls().length;
    for (const name of DOORS) {
      const { complete, stream } = door(name);
      for (const strict of [false, true]) {
        const failures = [
          await failureOf(complete(paramsOf(ask(model, params)), { options: { strict } })),
          await failureOf(collect(stream(paramsOf(ask(model, params)), { options: { strict } }))),
        ];
        for (const failure of failures)
          expect(failure).toMatchObject({
            param,
            code: expect.stringMatching(/^unsupported_(?:parameter|value)$/),
            status: name === "rest" ? 400 : Code.InvalidArgument,
          });
      }
    }
    expect(vendors().calls().length).toBe(before);
  });
});
