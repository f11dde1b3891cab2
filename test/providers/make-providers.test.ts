import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/config/config-error.ts";
import type { ProviderSettings } from "../../src/config/provider-settings.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { AnthropicSchema } from "../../src/gen/parley/config/v1/anthropic_pb.ts";
import { GoogleSchema } from "../../src/gen/parley/config/v1/google_pb.ts";
import { OpenAICompatibleSchema } from "../../src/gen/parley/config/v1/openai_compatible_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { makeProviders } from "../../src/providers/make-providers.ts";
import { createFamilies } from "../support/families.ts";

const CHANCE = { newCallId: () => "call_1" };
const CONCURRENCY = { maxInFlight: 1, maxQueue: 1 };
const SETTINGS: readonly ProviderSettings[] = [
  {
    id: "a",
    place: { file: "my.yaml", path: "providers[0].openai_compatible" },
    concurrency: CONCURRENCY,
    kind: "openaiCompatible",
    config: create(OpenAICompatibleSchema, { baseUrl: "https://a.example" }),
  },
  {
    id: "b",
    place: { file: "my.yaml", path: "providers[1].anthropic" },
    concurrency: CONCURRENCY,
    kind: "anthropic",
    config: create(AnthropicSchema),
  },
  {
    id: "google",
    place: { path: "GEMINI_API_KEY" },
    concurrency: CONCURRENCY,
    kind: "google",
    config: create(GoogleSchema),
  },
];

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

const fault = (message: string, param?: string): never => {
  throw new GatewayError(Reason.INVALID_VALUE, message, { param });
};

describe("makeProviders()", () => {
  it("has each family make its own, in order", () => {
    const asked: unknown[] = [];
    const families = createFamilies((...call) => void asked.push(call));
    const made = makeProviders(SETTINGS, families, CHANCE);
    expect(made.map(({ provider }) => provider.id)).toEqual(["a", "b", "google"]);
    expect(asked).toEqual([
      ["openaiCompatible", "a", SETTINGS[0]?.config, CHANCE],
      ["anthropic", "b", SETTINGS[1]?.config, CHANCE],
      ["google", "google", SETTINGS[2]?.config, CHANCE],
    ]);
  });

  it("says of each fault where it stands in the file, or which variable it comes from", () => {
    const families = createFamilies((family) => {
      if (family === "openaiCompatible") fault("models[0].match must be a regular expression", "models[0].match");
      if (family === "anthropic") fault("this can't be used");
      if (family === "google") fault("base_url is nothing to call", "base_url");
    });
    const thrown = thrownBy(() => makeProviders(SETTINGS, families, CHANCE));
    expect(thrown).toBeInstanceOf(ConfigError);
    expect(thrown).toMatchObject({
      file: "my.yaml",
      message: [
        "my.yaml: providers[0].openai_compatible.models[0].match: must be a regular expression",
        "my.yaml: providers[1].anthropic: this can't be used",
        "GEMINI_API_KEY: base_url is nothing to call",
      ].join("\n"),
    });
  });

  it("passes on what is no fault of the configuration", () => {
    const bug = new TypeError("x is not a function");
    const families = createFamilies(() => {
      throw bug;
    });
    expect(thrownBy(() => makeProviders(SETTINGS, families, CHANCE))).toBe(bug);
  });
});
