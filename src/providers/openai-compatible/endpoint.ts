import {
  OpenAIQuirks_KeyHeader as KeyHeader,
  type OpenAICompatible,
} from "../../gen/parley/config/v1/openai_compatible_pb.ts";
import { inLowerCase, splitAddress } from "../base-address.ts";
import type { Endpoint } from "../provider.ts";

/** Where a server is, and with which headers it is asked. What the configuration adds to headers may be a secret, and is taken for one. */
export function endpointOf({ baseUrl, apiKey, headers }: OpenAICompatible, keyHeader: KeyHeader): Endpoint {
  const { address, query } = splitAddress(baseUrl);
  const secretHeaders: Record<string, string> = {};
  if (apiKey !== undefined && apiKey !== "") {
    if (keyHeader === KeyHeader.API_KEY) secretHeaders["api-key"] = apiKey;
    else secretHeaders["authorization"] = `Bearer ${apiKey}`;
  }
  return { baseUrl: address, query, headers: {}, secretHeaders: { ...secretHeaders, ...inLowerCase(headers) } };
}
