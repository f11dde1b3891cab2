import OpenAI, { APIError } from "openai";
import type { ChatCompletionCreateParamsStreaming } from "openai/resources";
import { answerOf, type OpenAIJson, readOpenAIChunks } from "../reading/openai.ts";
import type { Recording } from "../recordings.ts";
import { fromReading, type VendorResult } from "./vendor.ts";

/** What a request has besides its messages. */
export type OpenAIParams = Omit<ChatCompletionCreateParamsStreaming, "messages" | "stream" | "stream_options">;

const open = (baseURL: string): OpenAI => new OpenAI({ baseURL, apiKey: "none needed", maxRetries: 0 });
const ask = <T>(params: T) => ({ ...params, messages: [{ role: "user" as const, content: "Well?" }] });

/** What OpenAI's SDK makes of an answer in one piece, or, with its helper, of all chunks of a stream. */
export async function wholeByOpenAI(
  baseURL: string,
  { streaming, provider }: Recording,
  params: OpenAIParams,
): Promise<VendorResult> {
  const { completions } = open(baseURL).chat;
  try {
    const completion = streaming
      ? await completions.stream({ ...ask(params), stream_options: { include_usage: true } }).finalChatCompletion()
      : await completions.create(ask(params));
    const json = completion as unknown as OpenAIJson;
    // The SDK gives a body with an error in it to its caller as it gives any other.
    if (json.error) return { kind: "error", status: undefined, text: JSON.stringify(json.error) };
    return { kind: "answer", answer: answerOf(json, provider === "openai") };
  } catch (thrown) {
    return errorOf(thrown);
  }
}

/** What OpenAI's SDK makes of an answer in one piece that it parses. */
export async function parsedByOpenAI(
  baseURL: string,
  { provider }: Recording,
  params: OpenAIParams,
): Promise<VendorResult> {
  try {
    const completion = await open(baseURL).chat.completions.parse(ask(params));
    return { kind: "answer", answer: answerOf(completion as unknown as OpenAIJson, provider === "openai") };
  } catch (thrown) {
    return errorOf(thrown);
  }
}

/** What OpenAI's SDK makes of the chunks of a stream. */
export async function chunksByOpenAI(
  baseURL: string,
  { provider }: Recording,
  params: OpenAIParams,
): Promise<VendorResult> {
  const chunks: OpenAIJson[] = [];
  try {
    const request = { ...ask(params), stream: true as const, stream_options: { include_usage: true } };
    for await (const chunk of await open(baseURL).chat.completions.create(request))
      chunks.push(chunk as unknown as OpenAIJson);
    return fromReading(readOpenAIChunks(chunks, true, provider === "openai"));
  } catch (thrown) {
    return errorOf(thrown);
  }
}

function errorOf(thrown: unknown): VendorResult {
  if (!(thrown instanceof APIError)) throw thrown;
  const error = thrown.error as { message?: string } | undefined;
  return { kind: "error", status: thrown.status, text: `${thrown.message} ${error?.message ?? ""}` };
}
