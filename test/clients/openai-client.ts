/**
 * Clients: real ones, as people have them, against a gateway that listens.
 *
 * This file opens OpenAI's own SDK.
 */
import OpenAI, { type ClientOptions } from "openai";
import type { ChatCompletionMessageParam } from "openai/resources";

/** Opens the SDK at a mount of the gateway at that URL. It does not try again, unless the test says so. */
export function openOpenAI(url: string, mount = "/v1", options: ClientOptions = {}): OpenAI {
  return new OpenAI({ baseURL: `${url}${mount}`, apiKey: "none needed", maxRetries: 0, ...options });
}

/** One message of the user. */
export const say = (content: string): ChatCompletionMessageParam[] => [{ role: "user", content }];

/** Parameters that only the sandbox knows, and so not the SDK's types. */
export function sandbox(knobs: { token_delay_ms?: number; start_delay_ms?: number; retry_after_ms?: number }): object {
  return { sandbox: knobs };
}

/** A tool that the sandbox calls when the weather is asked for. */
export const WEATHER = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Get current weather for a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
} as const;
