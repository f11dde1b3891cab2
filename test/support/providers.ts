import type { JsonObject } from "@bufbuild/protobuf";
import { chooseProviders } from "../../src/config/choose-providers.ts";
import type { Settings } from "../../src/config/settings.ts";
import { ProviderSchema } from "../../src/gen/parley/config/v1/config_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";

/** Providers as the settings have them, of entries as a file has them. Throws for a fault in one. */
export function providersOf(...entries: readonly JsonObject[]): Settings["providers"] {
  const listed = entries.map((entry) => decodeJson(ProviderSchema, entry));
  return chooseProviders({ listed, switchedOn: [], file: undefined }, (path, message) => {
    throw new Error(`${path} ${message}`);
  });
}
