import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { completeUsage } from "../../src/gateway/usage.ts";
import { ServiceTier, UsageSchema } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Modality, type Model, ModelSchema } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import { createVendorFacts } from "../../src/upstream/vendor-facts.ts";
import { modelsOf } from "../support/listing-provider.ts";

type UsageInit = MessageInitShape<typeof UsageSchema>;

const OPENAI = "https://api.openai.com/v1";
const ANTHROPIC = "https://api.anthropic.com";
const GOOGLE = "https://generativelanguage.googleapis.com";

const used = (usage: UsageInit) => completeUsage(create(UsageSchema, usage));

/** A price list whose prices are loaded. */
async function loaded(baseUrl: string) {
  const list = createVendorFacts(baseUrl);
  await list.load();
  return list;
}

async function costOf(
  baseUrl: string,
  model: string,
  usage: UsageInit,
  { answeredBy, serviceTier = ServiceTier.UNSPECIFIED }: { answeredBy?: string; serviceTier?: ServiceTier } = {},
) {
  return (await loaded(baseUrl)).cost({ model, answeredBy, serviceTier, usage: used(usage) });
}

async function factsOf(baseUrl: string, ...models: readonly Model[]) {
  const known = await createVendorFacts(baseUrl).enrich(models);
  return known.map(({ contextWindow, pricing }) => ({
    contextWindow,
    pricing: pricing && [pricing.input, pricing.cacheRead, pricing.cacheWrite, pricing.output],
  }));
}

describe("createVendorFacts()", () => {
  it.each<readonly [string, string, Awaited<ReturnType<typeof factsOf>>[0]]>([
    [
      OPENAI,
      "gpt-4o",
      { contextWindow: 128_000, pricing: [2_500_000_000n, 1_250_000_000n, undefined, 10_000_000_000n] },
    ],
    [
      ANTHROPIC,
      "claude-haiku-4-5-20251001",
      { contextWindow: 200_000, pricing: [1_000_000_000n, 100_000_000n, 1_250_000_000n, 5_000_000_000n] },
    ],
    // The price of a short prompt.
    [
      GOOGLE,
      "gemini-2.5-pro",
      { contextWindow: undefined, pricing: [1_250_000_000n, 125_000_000n, undefined, 10_000_000_000n] },
    ],
    // 0.2288 and 0.3432 dollars are no round numbers to a computer.
    [
      "https://api.deepseek.com",
      "deepseek-v3.2",
      { contextWindow: 128_000, pricing: [228_800_000n, undefined, undefined, 343_200_000n] },
    ],
    [
      "https://my-team.openai.azure.com/openai/v1",
      "gpt-4o",
      { contextWindow: 128_000, pricing: [2_500_000_000n, 1_250_000_000n, undefined, 10_000_000_000n] },
    ],
    [OPENAI, "nobody-knows-it", { contextWindow: undefined, pricing: undefined }],
    ["http://127.0.0.1:8000/v1", "gpt-4o", { contextWindow: undefined, pricing: undefined }],
    ["http://ollama:11434/v1", "gpt-4o", { contextWindow: undefined, pricing: undefined }],
    ["https://api.openai.com.example/v1", "gpt-4o", { contextWindow: undefined, pricing: undefined }],
    ["https://api.moonshot.ai/v1", "nobody-knows-it", { contextWindow: undefined, pricing: undefined }],
    // An embedding has a price for messages alone.
    [OPENAI, "text-embedding-3-small", { contextWindow: 8_192, pricing: undefined }],
  ])("knows at %s of %s", async (baseUrl, model, facts) => {
    expect(await factsOf(baseUrl, ...modelsOf(model))).toEqual([facts]);
  });

  it("says what models read and say where the provider does not", async () => {
    const { TEXT, IMAGE, FILE, AUDIO } = Modality;
    const told = create(ModelSchema, { id: "gpt-5", inputModalities: [TEXT], outputModalities: [AUDIO], tools: false });
    const models = await createVendorFacts(OPENAI).enrich([...modelsOf("gpt-5", "nobody-knows-it"), told]);
    expect(models.map((it) => [it.inputModalities, it.outputModalities, it.tools])).toEqual([
      [[TEXT, IMAGE, FILE], [TEXT], true],
      [[], [], undefined],
      [[TEXT], [AUDIO], false],
    ]);
    const [own] = await createVendorFacts("http://127.0.0.1:8000/v1").enrich(modelsOf("gpt-5"));
    expect(own).toEqual(modelsOf("gpt-5")[0]);
  });

  it("replaces nothing that the provider says, and changes no model that it is given", async () => {
    const said = create(ModelSchema, { id: "gpt-4o", contextWindow: 7, pricing: { input: 1n, output: 2n } });
    const [bare] = modelsOf("gpt-4o");
    expect(await factsOf(OPENAI, said)).toEqual([{ contextWindow: 7, pricing: [1n, undefined, undefined, 2n] }]);
    await factsOf(OPENAI, bare as Model);
    expect(bare).toEqual(modelsOf("gpt-4o")[0]);
  });

  it.each<readonly [string, string, string, UsageInit, bigint | undefined]>([
    ["messages and answer", OPENAI, "gpt-4o", { promptTokens: 1_000, completionTokens: 100 }, 3_500_000n],
    ["one token", OPENAI, "gpt-5-mini", { promptTokens: 1 }, 250n],
    ["half nano-dollars", "https://api.deepseek.com", "deepseek-v3.2", { promptTokens: 1, completionTokens: 1 }, 572n],
    [
      "messages from the cache",
      OPENAI,
      "gpt-4o",
      { promptTokens: 1_000, completionTokens: 100, promptTokensDetails: { cachedTokens: 400 } },
      3_000_000n,
    ],
    [
      "messages to and from the cache",
      ANTHROPIC,
      "claude-haiku-4-5",
      { promptTokens: 1_000, completionTokens: 10, cacheReadInputTokens: 300, cacheCreationInputTokens: 200 },
      500_000n + 30_000n + 250_000n + 50_000n,
    ],
    [
      "messages to the cache for an hour",
      ANTHROPIC,
      "claude-haiku-4-5",
      {
        promptTokens: 1_000,
        completionTokens: 10,
        cacheCreationInputTokens: 200,
        extra: { cache_creation: { ephemeral_5m_input_tokens: 50, ephemeral_1h_input_tokens: 150 } },
      },
      800_000n + 62_500n + 300_000n + 50_000n,
    ],
    [
      "a search by the provider",
      ANTHROPIC,
      "claude-haiku-4-5",
      { promptTokens: 1_000, extra: { server_tool_use: { web_search_requests: 2 } } },
      1_000_000n + 20_000_000n,
    ],
    ["a long prompt", GOOGLE, "gemini-2.5-pro", { promptTokens: 200_001, completionTokens: 10 }, 500_152_500n],
    ["a price for each request", "https://api.perplexity.ai", "sonar", { promptTokens: 1_000 }, 13_000_000n],
    [
      "audio",
      GOOGLE,
      "gemini-2.5-flash",
      { promptTokens: 1_000, promptTokensDetails: { audioTokens: 400 } },
      180_000n + 400_000n,
    ],
    [
      "images in the answer",
      GOOGLE,
      "gemini-2.5-flash-image",
      { promptTokens: 10, completionTokens: 1_300, completionTokensDetails: { imageTokens: 1_290 } },
      3_000n + 25_000n + 38_700_000n,
    ],
    ["images in the answer that are not counted", GOOGLE, "gemini-2.5-flash-image", { promptTokens: 10 }, undefined],
    [
      "audio of which some came from the cache, nobody says how much",
      GOOGLE,
      "gemini-2.5-flash",
      { promptTokens: 1_000, promptTokensDetails: { audioTokens: 400, cachedTokens: 300 } },
      undefined,
    ],
    [
      "more from the cache than there was",
      OPENAI,
      "gpt-4o",
      { promptTokens: 10, promptTokensDetails: { cachedTokens: 20 } },
      undefined,
    ],
    ["nothing", OPENAI, "gpt-4o", {}, 0n],
    ["a model without a price", OPENAI, "nobody-knows-it", { promptTokens: 1_000 }, undefined],
    [
      "a model whose price is empty",
      "https://openrouter.ai/api/v1",
      "deepseek/deepseek-r1:free",
      { promptTokens: 9 },
      undefined,
    ],
    ["a private host", "http://10.0.0.7:8000/v1", "gpt-4o", { promptTokens: 1_000 }, undefined],
  ])("says what a call with %s costs", async (_what, baseUrl, model, usage, cost) => {
    expect(await costOf(baseUrl, model, usage)).toBe(cost);
  });

  it.each<readonly [string, string | undefined, bigint | undefined]>([
    ["gpt-4o", "gpt-5-mini-2025-08-07", 250_000n],
    ["my-deployment", "gpt-5-mini", 250_000n],
    ["gpt-5-mini", "gpt-x-by-another-name", 250_000n],
    ["my-deployment", undefined, undefined],
  ])("asks of %s, answered by %s, the price of what answered", async (model, answeredBy, cost) => {
    const spec = answeredBy === undefined ? {} : { answeredBy };
    expect(await costOf("https://my-team.openai.azure.com/openai/v1", model, { promptTokens: 1_000 }, spec)).toBe(cost);
  });

  it.each<readonly [keyof typeof ServiceTier, bigint | undefined]>([
    ["UNSPECIFIED", 2_500_000n],
    ["AUTO", 2_500_000n],
    ["DEFAULT", 2_500_000n],
    ["FLEX", undefined],
    ["SCALE", undefined],
    ["PRIORITY", undefined],
    ["FAST", undefined],
  ])("knows of the tier %s only what list prices say", async (tier, cost) => {
    const serviceTier = ServiceTier[tier];
    expect(await costOf(OPENAI, "gpt-4o", { promptTokens: 1_000 }, { serviceTier })).toBe(cost);
  });

  it("adds to a long list, too, and lets others have their turn", async () => {
    const ids = Array.from({ length: 500 }, (_, at) => `gpt-4o-${at}`);
    const facts = await loaded(OPENAI);
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const models = await facts.enrich(modelsOf(...ids));
    isOver = true;
    expect(models.map(({ id, tools }) => [id, tools])).toEqual(ids.map((id) => [id, true]));
    expect(turns).toBeGreaterThanOrEqual(9);
  });

  it("does not let a call wait for the prices", () => {
    const consumption = { model: "gpt-4o", answeredBy: undefined, serviceTier: ServiceTier.UNSPECIFIED };
    expect(createVendorFacts(OPENAI).cost({ ...consumption, usage: used({ promptTokens: 1 }) })).toBeUndefined();
  });
});
