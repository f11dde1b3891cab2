import { create, type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { GatewayError } from "../../../src/errors/gateway-error.ts";
import { type ChatCompletionParams, ChatCompletionParamsSchema } from "../../../src/gen/parley/chat/v1/params_pb.ts";
import { type Adjustment, Adjustment_Action, AdjustmentSchema } from "../../../src/gen/parley/chat/v1/report_pb.ts";
import { GoogleSchema } from "../../../src/gen/parley/config/v1/google_pb.ts";
import { decodeJson } from "../../../src/openai-json/decode.ts";
import { createGoogle } from "../../../src/providers/google/provider.ts";
import type { EncodedCall, Medium, Provider } from "../../../src/providers/provider.ts";

/** A provider whose new ids of calls count up. */
export function google(config: JsonObject = {}): Provider {
  let made = 0;
  return createGoogle("google", decodeJson(GoogleSchema, config), {
    newCallId: () => `call_${String(++made).padStart(24, "0")}`,
  });
}

export const HELLO: JsonObject = { messages: [{ role: "user", content: "Hello" }] };

/** Encodes a request in OpenAI's JSON; its messages are a greeting, unless it has some. */
export function encode(
  request: JsonObject,
  model = "gemini-3-flash-preview",
  { provider = google(), media = new Map<string, Medium>(), streaming = false } = {},
): EncodedCall {
  const params = decodeJson(ChatCompletionParamsSchema, { model, ...HELLO, ...request });
  return provider.encodeRequest({ model, params, streaming, media });
}

/** The body that a request becomes. */
export const bodyOf = (...args: Parameters<typeof encode>): JsonObject =>
  JSON.parse(encode(...args).request.body ?? "") as JsonObject;

/** Adjustments in one line each: "dropped user". */
export const linesOf = (adjustments: readonly Adjustment[]): string[] =>
  adjustments.map((adjustment) => {
    const { before, after } = toJson(AdjustmentSchema, create(AdjustmentSchema, adjustment)) as JsonObject;
    const what = `${Adjustment_Action[adjustment.action].toLowerCase()} ${adjustment.path}`;
    return after === undefined ? what : `${what}: ${word(before)} → ${word(after)}`;
  });

const word = (value: JsonValue | undefined): string => (typeof value === "string" ? value : JSON.stringify(value));

/** What `run` throws, as a GatewayError. */
export function errorOf(run: () => unknown): GatewayError {
  try {
    run();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** A PNG of one pixel. */
export const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
export const GIF = "R0lGODlhAQABAAAAACwAAAAAAQABAAAC";
export const PDF = "JVBERi0xLjQKJeLjz9MK";
export const WAV = "UklGRiQAAABXQVZFZm10IBAAAAA=";

/** The parameters of a request in OpenAI's JSON. */
export const paramsOf = (request: JsonObject): ChatCompletionParams =>
  decodeJson(ChatCompletionParamsSchema, { model: "m", ...HELLO, ...request });
