import { create } from "@bufbuild/protobuf";
import { AnthropicSchema } from "../../src/gen/parley/config/v1/anthropic_pb.ts";
import { GoogleSchema } from "../../src/gen/parley/config/v1/google_pb.ts";
import { OpenAICompatibleSchema } from "../../src/gen/parley/config/v1/openai_compatible_pb.ts";
import { createAnthropic } from "../../src/providers/anthropic/provider.ts";
import { createGoogle } from "../../src/providers/google/provider.ts";
import { createOpenAICompatible } from "../../src/providers/openai-compatible/provider.ts";
import type { Chance, Provider } from "../../src/providers/provider.ts";
import type { Family } from "./recordings.ts";

let ids = 0;
const chance: Chance = { newCallId: () => `call_${String(++ids).padStart(24, "0")}` };
const openai = (id: string, vendor: string | undefined): Provider => {
  const config = create(OpenAICompatibleSchema, { baseUrl: "https://upstream.example/v1", apiKey: "key" });
  if (vendor !== undefined) config.vendor = vendor;
  return createOpenAICompatible(id, config, chance);
};

const PROVIDERS: Readonly<Record<Family, Provider>> = {
  openai: openai("openai", "openai"),
  compatible: openai("compatible", undefined),
  anthropic: createAnthropic("anthropic", create(AnthropicSchema, { apiKey: "key" }), chance),
  google: createGoogle("google", create(GoogleSchema, { apiKey: "key" }), chance),
};

/** The translator of a family, with its defaults. The ids that it makes are no chance, and count from 1 again. */
export function openProvider(family: Family): Provider {
  ids = 0;
  return PROVIDERS[family];
}
