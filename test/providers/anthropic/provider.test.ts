import { describe, expect, it } from "vitest";
import { Anthropic_Auth, AnthropicModelRule_Sampling } from "../../../src/gen/parley/config/v1/anthropic_pb.ts";
import { ModelSchema } from "../../../src/gen/parley/models/v1/models_service_pb.ts";
import { encodeJson } from "../../../src/openai-json/encode.ts";
import { createCapabilities } from "../../../src/providers/anthropic/capabilities.ts";
import { bodyOf, createProvider, plan } from "./support.ts";

describe("createAnthropic()", () => {
  it("is where it is said to be", () => {
    expect(createProvider({ apiKey: "k" }).endpoint).toEqual({
      baseUrl: "https://api.anthropic.com",
      query: "",
      headers: { "anthropic-version": "2023-06-01" },
      secretHeaders: { "x-api-key": "k" },
    });
    const config = {
      baseUrl: "https://x.example/a/?b=c",
      apiKey: "k",
      auth: Anthropic_Auth.BEARER,
      version: "2026-10-21",
      beta: ["a", "b"],
      headers: { "X-Team": "t", "X-Token": "s" },
    };
    expect(createProvider(config).endpoint).toEqual({
      baseUrl: "https://x.example/a",
      query: "b=c",
      headers: { "anthropic-version": "2026-10-21", "anthropic-beta": "a,b" },
      secretHeaders: { authorization: "Bearer k", "x-team": "t", "x-token": "s" },
    });
    expect(createProvider().endpoint.secretHeaders).toEqual({});
  });

  it("has nothing fetched, since Anthropic fetches", () => {
    expect(createProvider().mediaToFetch("claude-x", {} as never)).toEqual([]);
  });

  it("goes by the rules of the configuration before its table, field by field", () => {
    const models = [
      { match: "^relay-", maxOutputTokens: 100 },
      { match: "relay", maxOutputTokens: 200, sampling: AnthropicModelRule_Sampling.ALL },
    ];
    const call = plan({ temperature: 0.5 }, { model: "relay-1", config: { models } });
    expect(bodyOf(call)).toMatchObject({ max_tokens: 100, temperature: 0.5 });
  });

  it("refuses a rule whose pattern is no regular expression", () => {
    expect(() => createProvider({ models: [{ match: "a" }, { match: "(" }] })).toThrow(
      expect.objectContaining({
        reasonName: "INVALID_VALUE",
        details: expect.objectContaining({ param: "models[1].match" }),
      }),
    );
  });

  it("sends no sampling parameters to the version that has none", () => {
    const call = plan({ temperature: 0.5 }, { model: "claude-haiku-4-5", config: { version: "2026-10-21" } });
    expect(bodyOf(call)["temperature"]).toBeUndefined();
    expect(call.adjustments).toHaveLength(1);
  });
});

describe("createCapabilities()", () => {
  const of = createCapabilities([], "2023-06-01");

  it.each<[string, string]>([
    ["claude-2.1", "4096 all prefill force"],
    ["claude-3-opus-20240229", "4096 all prefill force"],
    ["claude-3-haiku-20240307", "4096 all prefill force"],
    ["claude-3-5-haiku-latest", "8192 all prefill force"],
    ["claude-3-7-sonnet-20250219", "64000 budget all prefill force"],
    ["claude-opus-4-20250514", "32000 budget all prefill force"],
    ["claude-opus-4-0", "32000 budget all prefill force"],
    ["claude-sonnet-4-20250514", "64000 budget all prefill force"],
    ["anthropic.claude-sonnet-4-20250514-v1:0", "64000 budget all prefill force"],
    ["claude-opus-4-1-20250805", "32000 schema budget one prefill force"],
    ["claude-sonnet-4-5-20250929", "64000 schema budget one prefill force"],
    ["claude-haiku-4-5", "64000 schema budget one prefill force"],
    ["claude-opus-4-5-20251101", "64000 schema budget effort one prefill force"],
    ["claude-sonnet-4-6", "128000 schema budget adaptive effort one force"],
    ["claude-opus-4-7", "128000 schema adaptive effort xhigh none force"],
    ["claude-opus-4-8", "128000 schema adaptive effort xhigh none force mid"],
    ["claude-opus-5", "128000 schema adaptive effort xhigh none force mid"],
    ["claude-sonnet-5-20260801", "128000 schema adaptive effort xhigh none force mid"],
    ["claude-fable-5", "128000 schema adaptive effort xhigh always none force mid"],
    ["claude-fable-5-1", "128000 schema adaptive effort xhigh always none mid"],
    ["claude-opus-5-5", "128000 schema adaptive effort xhigh always none mid"],
    ["claude-sonnet-5-5", "128000 schema adaptive effort xhigh always between none mid"],
    ["claude-haiku-5-5", "128000 schema adaptive effort xhigh none force mid"],
    ["claude-instant-1.2", "4096 all prefill force"],
    ["anthropic.claude-v2:1", "4096 all prefill force"],
    ["claude-3-5-sonnet-20241022", "8192 all prefill force"],
    ["claude-3-5-sonnet-v2@20241022", "8192 all prefill force"],
    ["us.anthropic.claude-3-7-sonnet-20250219-v1:0", "64000 budget all prefill force"],
    ["anthropic.claude-opus-4-1-20250805-v1:0", "32000 schema budget one prefill force"],
    ["claude-opus-4@20250514", "32000 budget all prefill force"],
    ["claude-sonnet-4-5@20250929", "64000 schema budget one prefill force"],
    ["global.anthropic.claude-opus-4-6-v1", "128000 schema budget adaptive effort one force"],
    ["anthropic/claude-3.5-sonnet", "8192 all prefill force"],
    ["anthropic/claude-sonnet-4.5", "64000 schema budget one prefill force"],
    ["anthropic/claude-opus-4.7", "128000 schema adaptive effort xhigh none force"],
    ["claude-4-sonnet-20250514", "64000 budget all prefill force"],
    ["claude-4.5-haiku", "64000 schema budget one prefill force"],
    ["claude-opus-6", "128000 schema adaptive effort xhigh always none mid"],
  ])("knows %s: %s", (model, expected) => {
    const can = of(model);
    const words = [
      String(can.maxOutputTokens),
      can.structuredOutput && "schema",
      can.thinkingBudget && "budget",
      can.adaptiveThinking && "adaptive",
      can.effort && "effort",
      can.xhighEffort && "xhigh",
      !can.thinkingOff && "always",
      can.thinkingBetweenTools && "between",
      AnthropicModelRule_Sampling[can.sampling]?.toLowerCase(),
      can.prefill && "prefill",
      can.forcedToolChoice && "force",
      can.midSystem && "mid",
    ];
    expect(words.filter((word) => word !== false).join(" ")).toBe(expected);
  });
});

describe("decodeModels()", () => {
  const { decodeModels, modelsRequest } = createProvider();

  it("reads pages", () => {
    expect(modelsRequest).toEqual({ method: "GET", path: "/v1/models?limit=1000" });
    const page = decodeModels(
      JSON.stringify({
        data: [
          {
            id: "claude-x",
            type: "model",
            display_name: "Claude X",
            created_at: "2026-01-01T00:00:00Z",
            retires_at: "2027-02-03T00:00:00Z",
            max_input_tokens: 200_000,
            max_tokens: 64_000,
            capabilities: { image_input: { supported: true }, pdf_input: { supported: false } },
          },
          { id: "claude-y", created_at: "?", max_tokens: null },
          { type: "model" },
        ],
        has_more: true,
        last_id: "claude y",
      }),
    );
    expect(page.models.map((model) => encodeJson(ModelSchema, model))).toEqual([
      {
        object: "model",
        id: "claude-x",
        created: 1_767_225_600,
        owned_by: "anthropic",
        description: "Claude X",
        context_window: 200_000,
        max_output_tokens: 64_000,
        input_modalities: ["text", "image"],
        output_modalities: ["text"],
        shutdown_date: "2027-02-03",
        tools: true,
      },
      {
        object: "model",
        id: "claude-y",
        created: 0,
        owned_by: "anthropic",
        output_modalities: ["text"],
        tools: true,
      },
    ]);
    expect(page.next).toEqual({ method: "GET", path: "/v1/models?limit=1000&after_id=claude%20y" });
  });

  it.each([
    [{ data: [], has_more: false, last_id: "a" }],
    [{ data: [], has_more: true, last_id: null }],
  ])("ends with %j", (json) => {
    expect(decodeModels(JSON.stringify(json))).toEqual({ models: [], next: undefined });
  });

  it.each([
    ["", "UPSTREAM_INVALID_RESPONSE"],
    ["{}", "UPSTREAM_INVALID_RESPONSE"],
    ['{"type":"error","error":{"type":"api_error","message":"x"}}', "UPSTREAM_ERROR"],
  ])("refuses %s", (body, reasonName) => {
    expect(() => decodeModels(body)).toThrow(expect.objectContaining({ reasonName }));
  });
});
