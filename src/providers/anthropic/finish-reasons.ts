import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { FinishReason } from "../../gen/parley/chat/v1/completion_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";

const REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ["end_turn", FinishReason.STOP],
  ["stop_sequence", FinishReason.STOP],
  ["max_tokens", FinishReason.LENGTH],
  ["tool_use", FinishReason.TOOL_CALLS],
  // Anthropic's own tools took long, and the call would have to be made again to go on.
  ["pause_turn", FinishReason.STOP],
  ["refusal", FinishReason.CONTENT_FILTER],
  ["model_context_window_exceeded", FinishReason.LENGTH],
  ["compaction", FinishReason.STOP],
]);

/** Why an answer ended, as Anthropic says it. */
export interface Stop {
  /** Anthropic's word. */
  readonly reason: string;
  /** The stop sequence that came, where one did. */
  readonly sequence: JsonValue | undefined;
  /** More about it. */
  readonly details: JsonValue | undefined;
}

/** What the end of an answer is in OpenAI's terms. `calls`: how many of the caller's tools are called. */
export function finishOf(
  { reason, sequence }: Stop,
  calls: number,
  isLegacy: boolean,
): { finishReason: FinishReason; nativeFinishReason: string; extra?: JsonObject } {
  let finishReason = REASONS.get(reason) ?? FinishReason.STOP;
  if (finishReason === FinishReason.TOOL_CALLS) {
    if (calls === 0) finishReason = FinishReason.STOP;
    else if (isLegacy) finishReason = FinishReason.FUNCTION_CALL;
  }
  const extra = typeof sequence === "string" ? { extra: { stop_reason: sequence } } : {};
  return { finishReason, nativeFinishReason: reason, ...extra };
}

const REFUSED = "The model refused to answer.";

/** Why the model refused; undefined: it did not. */
export function refusalOf({ reason, details }: Stop): string | undefined {
  if (reason !== "refusal") return undefined;
  const explanation = isObject(details ?? undefined) ? (details as JsonObject)["explanation"] : undefined;
  return typeof explanation === "string" && explanation !== "" ? explanation.toWellFormed() : REFUSED;
}
