import Anthropic, { APIError } from "@anthropic-ai/sdk";
import { type AnthropicEvent, type AnthropicMessage, answerOf, readAnthropicEvents } from "../reading/anthropic.ts";
import type { Recording } from "../recordings.ts";
import { fromReading, type VendorResult } from "./vendor.ts";

const open = (baseURL: string): Anthropic => new Anthropic({ baseURL, apiKey: "none needed", maxRetries: 0 });
const ask = (model: string) => ({ model, max_tokens: 1024, messages: [{ role: "user" as const, content: "Well?" }] });

/** What Anthropic's SDK makes of an answer in one piece, or, with its helper, of all events of a stream. */
export async function wholeByAnthropic(baseURL: string, { streaming, name }: Recording): Promise<VendorResult> {
  const { messages } = open(baseURL);
  try {
    const message = streaming ? await messages.stream(ask(name)).finalMessage() : await messages.create(ask(name));
    return { kind: "answer", answer: answerOf(message as unknown as AnthropicMessage) };
  } catch (thrown) {
    return errorOf(thrown);
  }
}

/** What Anthropic's SDK makes of the events of a stream. */
export async function eventsByAnthropic(baseURL: string, { name }: Recording): Promise<VendorResult> {
  const events: AnthropicEvent[] = [];
  try {
    for await (const event of await open(baseURL).messages.create({ ...ask(name), stream: true }))
      events.push(event as unknown as AnthropicEvent);
    return fromReading(readAnthropicEvents(events));
  } catch (thrown) {
    return errorOf(thrown);
  }
}

function errorOf(thrown: unknown): VendorResult {
  if (!(thrown instanceof APIError)) throw thrown;
  return { kind: "error", status: thrown.status, text: thrown.message };
}
