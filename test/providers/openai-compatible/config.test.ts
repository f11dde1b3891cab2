import { describe, expect, it } from "vitest";
import {
  OpenAIQuirks_KeyHeader as KeyHeader,
  OpenAIModelRule_Taken as Taken,
} from "../../../src/gen/parley/config/v1/openai_compatible_pb.ts";
import { PARAMETERS } from "../../../src/providers/openai-compatible/parameters.ts";
import { VENDORS } from "../../../src/providers/openai-compatible/vendors.ts";
import { type ParameterName, wireName } from "../../../src/providers/parameter-table.ts";
import { encode, providerOf, thrownBy } from "./support.ts";

const request = { model: "gpt-4o", messages: [{ role: "user", content: "Hi" }], temperature: 1, max_tokens: 5 };
const bodyOf = (config: Parameters<typeof providerOf>[0]) =>
  JSON.parse(encode(providerOf(config), request).request.body ?? "");
const shown = { model: "gpt-4o", messages: request.messages };

describe("createOpenAICompatible()", () => {
  it.each([
    ["https://api.openai.com/v1", { authorization: "Bearer key" }],
    ["https://x.openai.azure.com/openai/v1", { "api-key": "key" }],
    ["http://localhost:11434/v1/", { authorization: "Bearer key" }],
  ])("sends the key to %s as it wants it, and never shows it", (baseUrl, secretHeaders) => {
    const { endpoint } = providerOf({ baseUrl });
    expect(endpoint).toEqual({ baseUrl: baseUrl.replace(/\/$/, ""), query: "", headers: {}, secretHeaders });
  });

  it("keeps the query of the address, and takes configured headers for secrets", () => {
    const baseUrl = "https://x.openai.azure.com/openai/deployments/d?api-version=2024-10-21&a=b?";
    expect(providerOf({ baseUrl, headers: { "X-Team": "t" } }).endpoint).toEqual({
      baseUrl: "https://x.openai.azure.com/openai/deployments/d",
      query: "api-version=2024-10-21&a=b?",
      headers: {},
      secretHeaders: { "api-key": "key", "x-team": "t" },
    });
  });

  it("sends no key where there is none", () => {
    expect(providerOf({ apiKey: "" }).endpoint.secretHeaders).toEqual({});
  });

  it("lets the configuration win over the vendor's row, field by field", () => {
    const config = {
      vendor: "mistral",
      quirks: {
        requiredChoice: "must",
        keyHeader: KeyHeader.API_KEY,
        unsupported: ["temperature", "min_p", "response_format"],
      },
    };
    const { request: sent, adjustments } = encode(providerOf(config), {
      ...request,
      min_p: 1,
      seed: 2,
      tools: [{ type: "function", function: { name: "f" } }],
      tool_choice: "required",
    });
    expect(providerOf(config).endpoint.secretHeaders).toEqual({ "api-key": "key" });
    expect(JSON.parse(sent.body ?? "")).toEqual({
      ...shown,
      max_tokens: 5,
      random_seed: 2,
      tools: [{ type: "function", function: { name: "f" } }],
      tool_choice: "must",
    });
    expect(adjustments.map(({ path }) => path)).toEqual(["temperature", "min_p"]);
  });

  it("reports a seed that a server does not take", () => {
    const config = { quirks: { unsupported: ["seed"] } };
    const { request: sent, adjustments } = encode(providerOf(config), { ...request, seed: 2 });
    expect(JSON.parse(sent.body ?? "")).toEqual({ ...shown, temperature: 1, max_tokens: 5 });
    expect(adjustments.map(({ path }) => path)).toEqual(["seed"]);
  });

  it("leaves out what Cerebras refuses, but for what says nothing", () => {
    const messages = [{ role: "user", content: "a" }];
    const request = { model: "m", messages, frequency_penalty: 0, presence_penalty: 0.5, logit_bias: { "1": 2 } };
    const encoded = encode(providerOf("cerebras"), request);
    expect(JSON.parse(encoded.request.body ?? "")).toEqual({ model: "m", messages });
    expect(encoded.adjustments.map(({ path }) => path)).toEqual(["presence_penalty", "logit_bias"]);
  });

  it("refuses what a server does not take when the answer would be another without it", () => {
    const config = { quirks: { unsupported: ["response_format"] } };
    const asked = { ...request, response_format: { type: "json_object" } };
    expect(thrownBy(() => encode(providerOf(config), asked)).details.param).toBe("response_format");
  });

  it("lets rules of models win over the vendor's, the first that says something first", () => {
    const models = [
      { match: "^gpt-4o$", sampling: Taken.NEVER },
      { match: "4o", sampling: Taken.ALWAYS, tokenLimit: "max_completion_tokens" },
    ];
    expect(bodyOf({ vendor: "openai", models })).toEqual({ ...shown, max_completion_tokens: 5 });
    expect(bodyOf({ vendor: "openai" })).toEqual({ ...shown, temperature: 1, max_tokens: 5 });
  });

  it.each([
    ["a vendor that is not known", { vendor: "acme" }, "vendor"],
    ["a rule that is no regular expression", { models: [{ match: "a" }, { match: "(" }] }, "models[1].match"],
  ])("refuses %s", (_what, config, param) => {
    const error = thrownBy(() => providerOf(config));
    expect([error.reasonName, error.details.param]).toEqual(["INVALID_VALUE", param]);
  });
});

describe("VENDORS", () => {
  it.each([
    ["https://api.groq.com/openai/v1", "groq"],
    ["https://openrouter.ai/api/v1", "openrouter"],
    ["https://api.mistral.ai/v1", "mistral"],
    ["https://api.deepseek.com", "deepseek"],
    ["https://api.x.ai/v1", "xai"],
    ["https://generativelanguage.googleapis.com/v1beta/openai", "google"],
    ["https://notopenrouter.ai/v1", undefined],
    ["http://localhost:8000/v1", undefined],
  ])("tells %s by its host", (url, word) => {
    expect(VENDORS.find(({ host }) => host?.test(new URL(url).hostname))?.word).toBe(word);
  });

  it("names only parameters that there are", () => {
    const known = new Set((Object.keys(PARAMETERS) as ParameterName[]).map(wireName));
    expect(VENDORS.flatMap(({ quirks }) => quirks.unsupported ?? []).filter((name) => !known.has(name))).toEqual([]);
  });

  it("has each word once, in a form that the configuration takes", () => {
    const words = VENDORS.map(({ word }) => word);
    expect(new Set(words).size).toBe(words.length);
    expect(words.filter((word) => !/^[a-z0-9][a-z0-9_-]*$/.test(word))).toEqual([]);
  });
});
