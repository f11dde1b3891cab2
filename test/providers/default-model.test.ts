import { describe, expect, it } from "vitest";
import type { Environment } from "../../src/config/environment.ts";
import { autoOf, defaultModelOf } from "../../src/providers/default-model.ts";
import { loadText } from "../config/load.ts";

describe("defaultModelOf()", () => {
  it.each<[family: string, model: string | undefined]>([
    ["anthropic: {}", "p/claude-sonnet-4-5"],
    ['anthropic: { base_url: "https://a.example" }', "p/claude-sonnet-4-5"],
    ["google: {}", "p/gemini-2.5-pro"],
    ['openai_compatible: { base_url: "https://api.openai.com/v1" }', "p/gpt-5.2"],
    ['openai_compatible: { base_url: "https://eu.api.openai.com/v1" }', "p/gpt-5.2"],
    ['openai_compatible: { base_url: "https://a.example/v1", vendor: openai }', "p/gpt-5.2"],
    ['openai_compatible: { base_url: "https://api.openai.com/v1", vendor: azure }', undefined],
    ['openai_compatible: { base_url: "https://my.openai.azure.com/openai/v1" }', undefined],
    ['openai_compatible: { base_url: "https://api.openai.com.a.example/v1" }', undefined],
    ['openai_compatible: { base_url: "https://a.example/api.openai.com" }', undefined],
    ['openai_compatible: { base_url: "http://127.0.0.1:8000/v1" }', undefined],
  ])("knows that of { %s }", async (family, model) => {
    const { providers } = await loadText(`providers: [{ id: p, ${family} }]`);
    expect(providers.map(defaultModelOf)).toEqual([model]);
  });
});

describe("autoOf()", () => {
  const LOCAL = 'providers: [{ id: local, openai_compatible: { base_url: "http://127.0.0.1:8000/v1" } }]\n';

  it.each<[what: string, text: string, env: Environment, models: string[]]>([
    ["the sandbox's where there is no provider", "", {}, ["sandbox/eliza"]],
    ["the sandbox's where no provider is known to have one", LOCAL, {}, ["sandbox/eliza"]],
    [
      "one of each provider that is known, in their order",
      LOCAL,
      { GEMINI_API_KEY: "k", OPENAI_API_KEY: "k", ANTHROPIC_API_KEY: "k" },
      ["openai/gpt-5.2", "anthropic/claude-sonnet-4-5", "google/gemini-2.5-pro"],
    ],
    [
      "what is configured, and nothing besides",
      `${LOCAL}auto: { models: [sandbox/echo, local/x] }`,
      { OPENAI_API_KEY: "k" },
      ["sandbox/echo", "local/x"],
    ],
  ])("gives %s", async (_what, text, env, models) => {
    expect(autoOf(await loadText(text, env)).models).toEqual(models);
  });
});
