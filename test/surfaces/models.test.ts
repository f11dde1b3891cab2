/** The models of all providers are one list on every door, and a provider that is down costs nobody anything. */
import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { Modality, type Model } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import { openOpenAI } from "../clients/openai-client.ts";
import { failureOf, until } from "../support/collect.ts";
import { TYPED_DOORS } from "../support/typed-doors.ts";
import { json, type Reply, type UpstreamRequest } from "../support/upstream.ts";
import { KEY, threeFamilies, useVendors } from "../support/use-vendors.ts";
import type { Vendors } from "../support/vendors.ts";

const google = (name: string, more: JsonObject = {}): JsonObject => ({
  name: `models/${name}`,
  supportedGenerationMethods: ["generateContent"],
  inputTokenLimit: 1_000_000,
  outputTokenLimit: 64_000,
  ...more,
});

const LISTS: Readonly<Record<string, JsonObject>> = {
  "/openai/v1/models": {
    data: [
      { id: "gpt-4o", object: "model", created: 1_715_367_049, owned_by: "system" },
      {
        id: "acme/very-large:free",
        created: 1,
        context_length: 8_192,
        architecture: { input_modalities: ["text", "image"], output_modalities: ["text"] },
        supported_parameters: ["tools"],
        pricing: { prompt: "0.000001", completion: "0.000002" },
      },
    ],
  },
  "/anthropic/v1/models?limit=1000": {
    data: [{ id: "claude-b", type: "model", display_name: "Claude B", created_at: "2025-01-01T00:00:00Z" }],
    has_more: true,
    last_id: "claude-b",
  },
  "/anthropic/v1/models?limit=1000&after_id=claude-b": {
    data: [
      {
        id: "claude-a",
        display_name: "Claude A",
        max_input_tokens: 200_000,
        max_tokens: 64_000,
        capabilities: { image_input: { supported: true }, pdf_input: { supported: true } },
      },
    ],
    has_more: false,
  },
  "/google/v1beta/models?pageSize=1000": { models: [google("gemini-b")], nextPageToken: "2/+" },
  "/google/v1beta/models?pageSize=1000&pageToken=2%2F%2B": {
    models: [google("gemini-a", { description: "A." }), google("embed", { supportedGenerationMethods: ["embed"] })],
  },
  "/late/v1/models": { data: [{ id: "at-last" }] },
};

let isLateUp = false;

function list({ path }: UpstreamRequest): Reply {
  if (path.startsWith("/stalled/")) return { status: "none", ending: "hold" };
  if (path.startsWith("/late/") && !isLateUp) return json({ error: { message: "not yet" } }, 503);
  const found = LISTS[path];
  return found === undefined ? json({ error: { message: "no such page" } }, 404) : json(found);
}

const compatible = (id: string, base_url: string): JsonObject => ({
  id,
  openai_compatible: { base_url, api_key: KEY },
});

const { gateway, typed, vendors } = useVendors({
  providers: (started: Vendors) => [
    ...threeFamilies(started).filter(({ id }) => id !== "mistral"),
    compatible("stalled", started.baseUrl("stalled", "openai")),
    // Nobody listens there.
    compatible("down", "http://127.0.0.1:1/v1"),
    compatible("late", started.baseUrl("late", "openai")),
  ],
  other: list,
});

const SETTLED = [
  "anthropic/claude-a",
  "anthropic/claude-b",
  "google/gemini-a",
  "google/gemini-b",
  "openai/acme/very-large:free",
  "openai/gpt-4o",
];

const listOn = async (name: (typeof TYPED_DOORS)[number]): Promise<Model[]> =>
  (await typed(name).models.listModels({})).models;
const isProviders = ({ id }: { id: string }): boolean => !/^(?:sandbox\/|auto$)/.test(id);
const idsOf = (models: readonly { id: string }[]): string[] => models.filter(isProviders).map(({ id }) => id);

/** Waits for the lists that can be read. */
const settled = () => until(async () => idsOf(await listOn("connect")).length >= SETTLED.length, "lists are read");

describe("the list of models", () => {
  it("has those of the providers that are up, and comes back of one that recovers", async () => {
    await settled();
    expect(idsOf(await listOn("connect"))).toEqual(SETTLED);
    isLateUp = true;
    await until(async () => idsOf(await listOn("connect")).includes("late/at-last"), "the late one is up");
    expect(idsOf(await listOn("connect"))).toEqual([...SETTLED.slice(0, 4), "late/at-last", ...SETTLED.slice(4)]);
    expect(gateway().lines.filter(({ msg }) => String(msg).startsWith("model list"))).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ provider: "down", msg: "model list cannot be read", reason: "UPSTREAM_UNREACHABLE" }),
        expect.objectContaining({ provider: "late", msg: "model list cannot be read" }),
        expect.objectContaining({ provider: "late", msg: "model list is back" }),
      ]) as object[],
    );
    expect(JSON.stringify(gateway().lines)).not.toContain(KEY);
    expect(vendors().upstream.requests.find(({ path }) => path.startsWith("/anthropic/"))?.headers).toMatchObject({
      "x-api-key": KEY,
      "anthropic-version": "2023-06-01",
    });
  });

  it("is the same on every door, and by the SDK", async () => {
    await settled();
    const lists = await Promise.all(TYPED_DOORS.map(listOn));
    const [first] = lists;
    expect(lists).toEqual(lists.map(() => first));
    const sdk: string[] = [];
    for await (const model of openOpenAI(gateway().url).models.list()) sdk.push(model.id);
    expect(sdk).toEqual(first?.map(({ id }) => id));
    expect(sdk).toEqual(expect.arrayContaining(["auto", "sandbox/echo"]));
  });

  it("says what providers say of their models", async () => {
    await settled();
    const models = new Map((await listOn("grpc")).map((model) => [model.id, model]));
    expect(models.get("openai/acme/very-large:free")).toMatchObject({
      contextWindow: 8_192,
      inputModalities: [Modality.TEXT, Modality.IMAGE],
      outputModalities: [Modality.TEXT],
      tools: true,
      pricing: { input: 1_000_000_000n, output: 2_000_000_000n },
    });
    expect(models.get("anthropic/claude-a")).toMatchObject({
      description: "Claude A",
      contextWindow: 200_000,
      maxOutputTokens: 64_000,
      inputModalities: [Modality.TEXT, Modality.IMAGE, Modality.FILE],
      tools: true,
    });
    expect(models.get("google/gemini-a")).toMatchObject({
      description: "A.",
      contextWindow: 1_000_000,
      maxOutputTokens: 64_000,
    });
    expect(models.get("openai/gpt-4o")).toMatchObject({ created: 1_715_367_049n });
  });
});

describe("one model", () => {
  it.each(SETTLED)("is found by its id, whatever is in it: %s", async (id) => {
    await settled();
    for (const name of TYPED_DOORS) {
      const { model } = await typed(name).models.getModel({ model: id });
      expect(model?.id).toBe(id);
    }
    expect((await openOpenAI(gateway().url).models.retrieve(id)).id).toBe(id);
    const plain = await fetch(`${gateway().url}/v1/models/${id}`);
    expect([plain.status, ((await plain.json()) as { id: string }).id]).toEqual([200, id]);
  });

  it.each(["openai/nothing", "down/gpt", "nobody/gpt", "acme"])("that is not listed is not found: %s", async (id) => {
    await settled();
    expect(await failureOf(openOpenAI(gateway().url).models.retrieve(id))).toMatchObject({
      status: 404,
      code: "model_not_found",
      param: "model",
    });
  });

  it("is called by the id that its provider lists, or with the provider's before it", async () => {
    await settled();
    for (const model of ["acme/very-large:free", "openai/acme/very-large:free"]) {
      const before = vendors().calls().length;
      const { choices } = await openOpenAI(gateway().url).chat.completions.create({
        model,
        messages: [{ role: "user", content: "Hi" }],
      });
      expect(choices[0]?.message.content).toBe("Hello");
      expect(vendors().calls()[before]?.body["model"]).toBe("acme/very-large:free");
    }
  });
});
