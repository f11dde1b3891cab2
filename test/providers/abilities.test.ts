import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { type Adjustment, Adjustment_Action } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { OpenAIModelRule_Taken as Taken } from "../../src/gen/parley/config/v1/openai_compatible_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { isObject } from "../../src/openai-json/is-object.ts";
import { knownAbilities } from "../../src/providers/abilities.ts";
import { abilitiesOf as knownOf } from "../../src/providers/model-abilities.ts";
import { VENDORS } from "../../src/providers/openai-compatible/vendors.ts";
import type { Abilities, Provider } from "../../src/providers/provider.ts";
import { SANDBOX_MODELS } from "../../src/providers/sandbox/models.ts";
import { createSandbox } from "../../src/providers/sandbox/provider.ts";
import { createProvider as anthropic } from "./anthropic/support.ts";
import { google, PDF, PNG, WAV } from "./google/support.ts";
import { providerOf as openai } from "./openai-compatible/support.ts";

type Ability = Exclude<keyof Abilities, "maxChoices">;

const MP4 = "AAAAGGZ0eXBpc29tAAAAAGlzb21tcDQy";

const tools = [{ type: "function", function: { name: "look", parameters: { type: "object", properties: {} } } }];
const schema = { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false };
const saying = (part: JsonObject): JsonObject => ({
  messages: [{ role: "user", content: [{ type: "text", text: "Look" }, part] }],
});

/** Calls that need an ability, in OpenAI's JSON; the model can do it where it gets one of them whole. */
const NEEDS: Readonly<Record<Ability, readonly JsonObject[]>> = {
  tools: [{ tools }],
  parallelTools: [{ tools, parallel_tool_calls: false }],
  structuredOutput: [{ response_format: { type: "json_schema", json_schema: { name: "a", strict: true, schema } } }],
  reasoning: [{ reasoning_effort: "high" }],
  logprobs: [{ logprobs: true }, { logprobs: true, reasoning_effort: "none" }],
  images: [saying({ type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } })],
  audio: [saying({ type: "input_audio", input_audio: { data: WAV, format: "wav" } })],
  video: [saying({ type: "video_url", video_url: { url: `data:video/mp4;base64,${MP4}` } })],
  files: [saying({ type: "file", file: { file_data: `data:application/pdf;base64,${PDF}`, filename: "a.pdf" } })],
  speech: [{ modalities: ["text", "audio"], audio: { voice: "alloy", format: "wav" } }],
};

const ABILITIES = Object.keys(NEEDS) as Ability[];

/** Paths of adjustments that take something of what a call needs. */
const PATHS: Readonly<Record<Ability, RegExp>> = {
  tools: /^tools/,
  parallelTools: /^parallel_tool_calls/,
  structuredOutput: /^response_format/,
  reasoning: /^reasoning_effort/,
  logprobs: /^logprobs/,
  images: /^messages/,
  audio: /^messages/,
  video: /^messages/,
  files: /^messages/,
  speech: /^modalities|^audio/,
};

/** Finds what a request's body says of an ability. */
type Traces = Readonly<Record<"openai" | "anthropic" | "google", (body: JsonObject) => boolean>>;

const at = (body: JsonObject, ...keys: readonly string[]): JsonValue | undefined =>
  keys.reduce<JsonValue | undefined>((value, key) => (isObject(value) ? value[key] : undefined), body);
const has = (...keys: readonly string[]) => {
  return (body: JsonObject): boolean => at(body, ...keys) !== undefined;
};
const contains = (text: string): Traces => {
  const find = (body: JsonObject): boolean => JSON.stringify(body).includes(text);
  return { openai: find, anthropic: find, google: find };
};
const nowhere = (): boolean => false;

const TRACES: Readonly<Record<Ability, Traces>> = {
  tools: contains('"look"'),
  parallelTools: {
    openai: (body) => body["parallel_tool_calls"] === false,
    anthropic: has("tool_choice", "disable_parallel_tool_use"),
    google: nowhere,
  },
  structuredOutput: {
    openai: has("response_format", "json_schema", "schema"),
    anthropic: has("output_config", "format", "schema"),
    google: (body) =>
      at(body, "generationConfig", "responseJsonSchema") !== undefined ||
      at(body, "generationConfig", "responseSchema") !== undefined,
  },
  reasoning: {
    openai: has("reasoning_effort"),
    anthropic: (body) => ["enabled", "adaptive"].includes(String(at(body, "thinking", "type"))),
    google: has("generationConfig", "thinkingConfig"),
  },
  logprobs: { openai: has("logprobs"), anthropic: nowhere, google: has("generationConfig", "responseLogprobs") },
  images: contains(PNG),
  audio: contains(WAV),
  video: contains(MP4),
  files: contains(PDF),
  speech: { openai: has("modalities"), anthropic: nowhere, google: nowhere },
};

interface Subject {
  readonly family: keyof Traces;
  readonly provider: Provider;
  readonly model: string;
}

const HELLO: JsonObject = { messages: [{ role: "user", content: "Hello" }] };
const paramsOf = (request: JsonObject) => decodeJson(ChatCompletionParamsSchema, { model: "m", ...HELLO, ...request });

/** What a call becomes; undefined where it is refused, for want of an ability and for nothing else. */
function encoded<T>(encode: () => T): T | undefined {
  try {
    return encode();
  } catch (error) {
    const { reason } = GatewayError.from(error);
    if (reason === Reason.UNSUPPORTED_PARAMETER || reason === Reason.UNSUPPORTED_VALUE) return undefined;
    throw error;
  }
}

function encode({ provider, model }: Subject, request: JsonObject) {
  return encoded(() => {
    const params = paramsOf(request);
    const call = provider.encodeRequest({ model, params, streaming: false, media: new Map() });
    return { body: JSON.parse(call.request.body ?? "") as JsonObject, adjustments: call.adjustments };
  });
}

const isDropped = (adjustments: readonly Adjustment[], path: RegExp): boolean =>
  adjustments.some((it) => it.action === Adjustment_Action.DROPPED && path.test(it.path));

/** Whether the translator sends a call with what it needs. */
function sends(subject: Subject, ability: Ability): boolean {
  return NEEDS[ability].some((request) => {
    const call = encode(subject, request);
    return (
      call !== undefined && TRACES[ability][subject.family](call.body) && !isDropped(call.adjustments, PATHS[ability])
    );
  });
}

/** Whether the translator sends a call for so many answers. */
function sendsChoices(subject: Subject, n: number): boolean {
  const call = encode(subject, { n });
  if (call === undefined) return false;
  return n === 1 || call.body["n"] === n || at(call.body, "generationConfig", "candidateCount") === n;
}

const NAMES = [
  "gpt-4o-2024-08-06",
  "gpt-4",
  "gpt-4o-search-preview",
  "gpt-audio",
  "gpt-5",
  "gpt-5.1",
  "gpt-5-chat-latest",
  "gpt-6-mini",
  "o1-mini",
  "o3",
  "grok-4",
  "grok-4-fast-non-reasoning",
  "gemini-2.5-pro",
  "gemini-2.5-pro-preview-tts",
  "claude-opus-4-6",
  "my-model",
];
const CLAUDES = [
  "claude-2.1",
  "claude-3-opus-20240229",
  "claude-3-5-sonnet-latest",
  "claude-3-7-sonnet-latest",
  "claude-sonnet-4",
  "claude-opus-4-1-20250805",
  "claude-opus-4-5",
  "claude-sonnet-4.5",
  "claude-opus-4-6",
  "claude-opus-4-8",
  "claude-fable-5",
  "claude-sonnet-5-5",
  "claude-haiku-5-5",
  "claude-opus-9",
  "my-model",
];
const GEMINIS = [
  "gemini-1.5-pro",
  "gemini-2.0-flash",
  "gemini-2.5-flash-lite",
  "gemini-2.5-flash-image",
  "gemini-2.5-pro",
  "models/gemini-2.5-pro",
  "gemini-2.5-pro-preview-tts",
  "gemini-3-pro-preview",
  "gemini-3-pro-image-preview",
  "gemini-3-flash-preview",
  "gemini-9-pro",
  "gemma-3-27b-it",
  "tunedModels/mine",
];

const no = { match: "", tools: false, images: false, audio: false, reasoning: false, logprobs: Taken.NEVER };
const yes = { match: "", tools: true, images: true, audio: true, reasoning: true, logprobs: Taken.ALWAYS };
const unsupported = [
  "tools",
  "parallel_tool_calls",
  "response_format",
  "reasoning_effort",
  "logprobs",
  "top_logprobs",
  "n",
  "modalities",
];

/** Servers of OpenAI's API: each vendor's, and some whose configuration says otherwise. */
const SERVERS: readonly (readonly [string, Parameters<typeof openai>[0]])[] = [
  ...VENDORS.map(({ word }) => [word, word] as const),
  ["openai with a rule that denies", { vendor: "openai", models: [no] }],
  ["openai with a rule that grants", { vendor: "openai", models: [yes] }],
  ["deepseek with a rule that grants", { vendor: "deepseek", models: [yes] }],
  ["generic with a list of what it does not take", { vendor: "generic", quirks: { unsupported } }],
  ["generic without speech", { vendor: "generic", quirks: { unsupported: ["audio"] } }],
  ["groq that takes all media", { vendor: "groq", quirks: { audioInput: true, videoInput: true, fileInput: true } }],
  [
    "openrouter that takes no media",
    { vendor: "openrouter", quirks: { audioInput: false, videoInput: false, fileInput: false } },
  ],
];

const SUBJECTS: readonly (readonly [string, Subject])[] = [
  ...SERVERS.flatMap(([what, config]) =>
    NAMES.map((model) => [`${model} of ${what}`, { family: "openai", provider: openai(config), model }] as const),
  ),
  ...CLAUDES.map((model) => [model, { family: "anthropic", provider: anthropic(), model }] as const),
  [
    "Claude with a rule that denies",
    {
      family: "anthropic",
      model: "claude-opus-4-6",
      provider: anthropic({
        models: [{ match: "", structuredOutput: false, thinkingBudget: false, adaptiveThinking: false }],
      }),
    },
  ],
  [
    "Claude with a rule that grants",
    {
      family: "anthropic",
      model: "claude-3-opus-20240229",
      provider: anthropic({ models: [{ match: "", structuredOutput: true, adaptiveThinking: true }] }),
    },
  ],
  ...GEMINIS.map((model) => [model, { family: "google", provider: google(), model }] as const),
  [
    "Gemini with a rule that denies",
    {
      family: "google",
      model: "gemini-3-pro-preview",
      provider: google({ models: [{ match: "", thinking: "none", logprobs: false, max_candidates: 3 }] }),
    },
  ],
];

describe("abilitiesOf()", () => {
  it.each(SUBJECTS)("says of %s what its translator does", (_what, subject) => {
    const { provider, model } = subject;
    const abilities = provider.abilitiesOf(model);
    const known = knownAbilities(knownOf(provider.vendor, model.replace(/^models\//, "")));
    for (const ability of ABILITIES) {
      const isSent = sends(subject, ability);
      // What is known of a vendor's model by its name is left to the vendor to refuse.
      const isDenied = known[ability] === false && abilities[ability] === false;
      expect([ability, abilities[ability] !== false || isDenied]).toEqual([ability, isSent || isDenied]);
      if (abilities[ability] === true) expect([ability, isSent]).toEqual([ability, true]);
    }
  });

  it.each(SUBJECTS)("says of %s how many answers its translator asks for", (_what, subject) => {
    const { maxChoices = 128 } = subject.provider.abilitiesOf(subject.model);
    expect(sendsChoices(subject, maxChoices)).toBe(true);
    if (maxChoices < 128) expect(sendsChoices(subject, maxChoices + 1)).toBe(false);
  });

  it("knows a model that can do it, and one that can't, of every ability", () => {
    const told = SUBJECTS.map(([, { provider, model }]) => provider.abilitiesOf(model));
    const seen = ABILITIES.map((ability) => [ability, ...new Set(told.map((each) => each[ability]))].length);
    expect(seen).toEqual(ABILITIES.map(() => 4));
  });

  it("has nothing but what is known", () => {
    const unset = SUBJECTS.flatMap(([what, { provider, model }]) =>
      Object.entries(provider.abilitiesOf(model)).flatMap(([name, value]) => (value === undefined ? [what, name] : [])),
    );
    expect(unset).toEqual([]);
  });

  it.each<readonly [string, Provider, string, Abilities]>([
    ["a model of nobody in particular", openai("generic"), "my-model", {}],
    ["a deployment at Azure", openai("azure"), "mine", { video: false }],
    [
      "a model of OpenAI that always reasons",
      openai("openai"),
      "o3",
      {
        tools: true,
        reasoning: true,
        logprobs: false,
        images: true,
        audio: false,
        video: false,
        files: true,
        speech: false,
      },
    ],
    [
      "a model of OpenAI that may reason",
      openai("openai"),
      "gpt-5.1",
      { tools: true, reasoning: true, images: true, audio: false, video: false, files: true, speech: false },
    ],
    [
      "a model of OpenAI that hears and speaks",
      openai("openai"),
      "gpt-4o-audio-preview",
      { tools: true, reasoning: false, images: false, audio: true, video: false, files: false, speech: true },
    ],
    [
      "a model of OpenAI whose rule says otherwise than its name",
      openai({ vendor: "openai", models: [{ match: "^gpt-4$", images: true, audio: true, tools: false }] }),
      "gpt-4",
      {
        tools: false,
        parallelTools: false,
        reasoning: false,
        images: true,
        audio: true,
        video: false,
        files: false,
        speech: false,
      },
    ],
    ["a model of Groq", openai("groq"), "llama", { logprobs: false, maxChoices: 1, video: false, files: false }],
    [
      "a Claude that keeps to schemas",
      anthropic(),
      "claude-sonnet-4-5",
      {
        tools: true,
        parallelTools: true,
        structuredOutput: true,
        reasoning: true,
        logprobs: false,
        maxChoices: 1,
        images: true,
        audio: false,
        video: false,
        files: true,
        speech: false,
      },
    ],
    [
      "a Claude that does not, behind another address",
      anthropic({ baseUrl: "https://relay.example" }),
      "claude-3-haiku-20240307",
      {
        tools: true,
        parallelTools: true,
        structuredOutput: false,
        reasoning: false,
        logprobs: false,
        maxChoices: 1,
        images: true,
        audio: false,
        video: false,
        files: false,
        speech: false,
      },
    ],
    [
      "a Gemini of one answer",
      google(),
      "gemini-3-pro-preview",
      {
        tools: true,
        parallelTools: false,
        structuredOutput: true,
        reasoning: true,
        logprobs: true,
        maxChoices: 1,
        images: true,
        audio: true,
        video: true,
        files: true,
        speech: false,
      },
    ],
    [
      "a Gemma",
      google(),
      "gemma-3-27b-it",
      { parallelTools: false, reasoning: false, logprobs: true, maxChoices: 1, speech: false },
    ],
  ])("says of %s", (_what, provider, model, abilities) => {
    expect(provider.abilitiesOf(model)).toEqual(abilities);
  });

  it.each(SANDBOX_MODELS.map(({ id }) => id))("says of sandbox/%s what it would do", (model) => {
    const sandbox = createSandbox({ tokenDelayMs: 0 });
    const { maxChoices, ...abilities } = sandbox.abilitiesOf(model);
    const planned = ABILITIES.map((ability) => {
      const plan = encoded(() => sandbox.plan(model, paramsOf(NEEDS[ability][0] as JsonObject)));
      return [ability, plan !== undefined && !isDropped(plan.adjustments, PATHS[ability])];
    });
    expect(abilities).toEqual(Object.fromEntries(planned));
    expect(maxChoices).toBeUndefined();
  });
});
