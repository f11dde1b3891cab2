import type { Recording } from "../recordings.ts";
import { eventsByAnthropic, wholeByAnthropic } from "./anthropic.ts";
import { callGoogle } from "./google.ts";
import { chunksByOpenAI, wholeByOpenAI } from "./openai.ts";
import type { VendorResult } from "./vendor.ts";

/** What the SDK of a recording's vendor makes of it: of an answer in one piece, or of the pieces of a stream. */
export function callVendor(baseUrl: string, recording: Recording): Promise<VendorResult> {
  const { provider, name, streaming } = recording;
  switch (provider) {
    case "google":
      return callGoogle(baseUrl, recording);
    case "anthropic":
      return (streaming ? eventsByAnthropic : wholeByAnthropic)(baseUrl, recording);
    case "openai":
    case "compatible":
      return (streaming ? chunksByOpenAI : wholeByOpenAI)(baseUrl, recording, { model: name });
    default:
      return provider satisfies never;
  }
}

/** Whether the vendor's own SDK can read a recording. Those for streams read no JSON where they asked for events. */
export const isForSdk = ({ streaming, status, headers }: Recording): boolean =>
  !(streaming && status === 200 && /json/.test(headers["content-type"] ?? ""));
