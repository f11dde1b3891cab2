import { FinishReason } from "../../gen/parley/chat/v1/completion_pb.ts";

/** Words for the end of an answer, OpenAI's and others'. A word that is not here is taken for `stop`. */
const REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ["stop", FinishReason.STOP],
  ["length", FinishReason.LENGTH],
  ["tool_calls", FinishReason.TOOL_CALLS],
  ["content_filter", FinishReason.CONTENT_FILTER],
  ["function_call", FinishReason.FUNCTION_CALL],
  ["eos", FinishReason.STOP],
  ["end_turn", FinishReason.STOP],
  ["stop_sequence", FinishReason.STOP],
  ["max_tokens", FinishReason.LENGTH],
  ["model_length", FinishReason.LENGTH],
  ["tool_use", FinishReason.TOOL_CALLS],
  ["sensitive", FinishReason.CONTENT_FILTER],
  ["safety", FinishReason.CONTENT_FILTER],
  ["refusal", FinishReason.CONTENT_FILTER],
]);

/** OpenAI's words. */
const COMMON: ReadonlySet<string> = new Set(["stop", "length", "tool_calls", "content_filter", "function_call"]);

/** Words with which servers say that they failed. */
export const FAILED: ReadonlySet<string> = new Set(["error", "failed", "network_error"]);

/** What an answer has asked for. */
export interface Asked {
  readonly calls: boolean;
  /** In the legacy form. */
  readonly legacyCall: boolean;
}

/** The end of an answer: what it is to us, and the server's own word where it differs. */
export interface Finish {
  readonly finishReason: FinishReason;
  readonly nativeFinishReason?: string;
}

/**
 * Maps a server's word; "" stands for none. An answer with tool calls that ends with `stop` ends with `tool_calls`, but for OpenAI
 * itself, where `stop` says that the call was forced.
 */
export function mapFinishReason(word: string, { calls, legacyCall }: Asked, genuine: boolean): Finish {
  // Google's endpoint for OpenAI's API says why, after a colon: "content_filter: RECITATION".
  const mapped = REASONS.get(word) ?? REASONS.get(word.toLowerCase().replace(/:.*/s, "")) ?? FinishReason.STOP;
  let finishReason = mapped;
  if (mapped === FinishReason.FUNCTION_CALL && calls && !legacyCall) finishReason = FinishReason.TOOL_CALLS;
  if (mapped === FinishReason.TOOL_CALLS && legacyCall && !calls) finishReason = FinishReason.FUNCTION_CALL;
  if (mapped === FinishReason.STOP && !genuine) {
    if (calls) finishReason = FinishReason.TOOL_CALLS;
    else if (legacyCall) finishReason = FinishReason.FUNCTION_CALL;
  }
  const isSame = word === "" || (finishReason === mapped && COMMON.has(word));
  return isSame ? { finishReason } : { finishReason, nativeFinishReason: word };
}
