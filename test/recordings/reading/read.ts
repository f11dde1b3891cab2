import type { Recording } from "../recordings.ts";
import { readAnthropic } from "./anthropic.ts";
import { readGoogle } from "./google.ts";
import { readOpenAI } from "./openai.ts";
import type { Reading } from "./reading.ts";

/** What a recording says. */
export function readRecording({ provider, body, status, streaming }: Recording): Reading {
  const text = body.toString("utf8");
  switch (provider) {
    case "openai":
    case "compatible":
      return readOpenAI(text, status, streaming, provider === "openai");
    case "anthropic":
      return readAnthropic(text, status, streaming);
    case "google":
      return readGoogle(text, status, streaming);
    default:
      return provider satisfies never;
  }
}
