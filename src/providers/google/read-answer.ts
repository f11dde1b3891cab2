import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { isObject } from "../../openai-json/is-object.ts";
import { parseLossless } from "../../openai-json/lossless-json.ts";
import { type JsonPlace, noJson, noJsonObject } from "../upstream-error.ts";
import { errorWithin, isError } from "./decode-error.ts";
import { objectIn, textIn } from "./json-fields.ts";

/** Parses an answer, or an event of one. Throws the error that it is; UPSTREAM_INVALID_RESPONSE for what is none of them. */
export function readAnswer(text: string, provider: string, place: JsonPlace): JsonObject {
  let json: JsonValue;
  try {
    // Only arguments may have numbers of many digits, and to keep those costs more.
    json = text.includes('"functionCall"') ? parseLossless(text) : (JSON.parse(text) as JsonValue);
  } catch {
    throw noJson(provider, text, place);
  }
  if (isError(json)) throw errorWithin(json, provider);
  if (!isObject(json)) throw noJsonObject(provider, place);
  return json;
}

/** Why a prompt was blocked: Google's word, and words for people. */
export interface Block {
  readonly reason: string;
  readonly message: string;
}

/** Why the prompt was blocked; undefined where it was not. */
export function blockOf(answer: JsonObject): Block | undefined {
  const feedback = objectIn(answer, "promptFeedback");
  const reason = feedback === undefined ? undefined : textIn(feedback, "blockReason");
  if (feedback === undefined || reason === undefined) return undefined;
  const said = textIn(feedback, "blockReasonMessage");
  return { reason, message: (said ?? `The prompt was blocked: ${reason}`).toWellFormed() };
}
