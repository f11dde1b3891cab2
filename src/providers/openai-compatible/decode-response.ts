import type { JsonValue } from "@bufbuild/protobuf";
import { blankChatCompletion, blankChoice, blankMessage } from "../../gen/parley/chat/v1/blanks.ts";
import { type ChatCompletion, ChatCompletionSchema, type Choice } from "../../gen/parley/chat/v1/completion_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { invalidResponse } from "../upstream-error.ts";
import { ChoiceDecoder, type DecodeContext } from "./choice-decoder.ts";
import { errorInstead, errorWithin } from "./decode-error.ts";
import { decodeRest } from "./decode-rest.ts";
import { foldChoice } from "./fold-choice.ts";
import { readFrame } from "./frame.ts";
import { decodeUsage, usageOf } from "./usage.ts";

/** Makes an answer of a body. A choice is decoded as if it were a stream of one chunk, so that both say the same. */
export function decodeResponse(body: string, context: DecodeContext): ChatCompletion {
  const { provider } = context;
  const json = parse(body, provider);
  const error = errorWithin(json, provider);
  if (error !== undefined) throw error;
  if (!isObject(json)) throw invalidResponse(provider, "a body that is no JSON object");
  const { choices, created } = json;
  if (!Array.isArray(choices) || choices.length === 0)
    throw errorInstead(json, provider) ?? invalidResponse(provider, "a body without choices");
  const frame = readFrame(json);
  const completion = decodeRest(ChatCompletionSchema, blankChatCompletion, frame.rest);
  completion.id = frame.id;
  completion.model = frame.model;
  if (Number.isSafeInteger(created)) completion.created = BigInt(created as number);
  completion.choices = choices.map((choice, at) => decodeChoice(choice, at, context));
  completion.serviceTier = frame.serviceTier;
  if (frame.systemFingerprint !== undefined) completion.systemFingerprint = frame.systemFingerprint;
  const usage = usageOf(json);
  if (usage !== undefined) completion.usage = decodeUsage(usage);
  return completion;
}

function decodeChoice(json: JsonValue, at: number, context: DecodeContext): Choice {
  if (!isObject(json)) throw invalidResponse(context.provider, "a choice that is no JSON object");
  const index = Number.isInteger(json["index"]) ? (json["index"] as number) : at;
  const decoder = new ChoiceDecoder(index, context);
  const pieces = decoder.push(json, true);
  if (!decoder.isFinished && !decoder.hasContent) throw invalidResponse(context.provider, "an answer that did not end");
  const { last, finish } = decoder.finish();
  const choice = blankChoice();
  choice.index = index;
  choice.message = blankMessage();
  for (const piece of pieces) foldChoice(choice, piece);
  if (last !== undefined) foldChoice(choice, last);
  foldChoice(choice, finish);
  return choice;
}

function parse(body: string, provider: string): JsonValue {
  try {
    return JSON.parse(body) as JsonValue;
  } catch {
    // The engine's message would quote the body.
    throw invalidResponse(provider, body.trim() === "" ? "an empty body" : "a body that is no JSON");
  }
}
