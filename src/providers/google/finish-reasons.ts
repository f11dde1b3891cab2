import { FinishReason } from "../../gen/parley/chat/v1/completion_pb.ts";

/** What a finish reason of Gemini means. */
export type Ending =
  /** The answer ended, and so. */
  | { readonly kind: "finish"; readonly reason: FinishReason }
  /** The model gave up: an answer without content is none. */
  | { readonly kind: "gave_up" }
  /** What the model made can't be used. */
  | { readonly kind: "failed" };

const STOP: Ending = { kind: "finish", reason: FinishReason.STOP };
const LENGTH: Ending = { kind: "finish", reason: FinishReason.LENGTH };
const FILTERED: Ending = { kind: "finish", reason: FinishReason.CONTENT_FILTER };
const GAVE_UP: Ending = { kind: "gave_up" };
const FAILED: Ending = { kind: "failed" };

/** Stands for the end of what has no finish reason since the prompt was blocked. */
export const BLOCKED = "PROHIBITED_CONTENT";

const ENDINGS: ReadonlyMap<string, Ending> = new Map<string, Ending>([
  ["STOP", STOP],
  ["MAX_TOKENS", LENGTH],
  // The rest of the answer could be asked for by a token, in another request; whoever wants it can ask the model to go on.
  ["CONTINUATION", LENGTH],
  ["SAFETY", FILTERED],
  ["RECITATION", FILTERED],
  ["BLOCKLIST", FILTERED],
  ["PROHIBITED_CONTENT", FILTERED],
  ["SPII", FILTERED],
  ["IMAGE_SAFETY", FILTERED],
  ["IMAGE_PROHIBITED_CONTENT", FILTERED],
  ["IMAGE_RECITATION", FILTERED],
  ["MODEL_ARMOR", FILTERED],
  ["ESCALATION", FILTERED],
  ["PUP_LIMITED_DISABLED", FILTERED],
  ["LANGUAGE", GAVE_UP],
  ["OTHER", GAVE_UP],
  ["NO_IMAGE", GAVE_UP],
  ["IMAGE_OTHER", GAVE_UP],
  ["MALFORMED_FUNCTION_CALL", FAILED],
  ["UNEXPECTED_TOOL_CALL", FAILED],
  ["TOO_MANY_TOOL_CALLS", FAILED],
  ["MISSING_THOUGHT_SIGNATURE", FAILED],
  ["MALFORMED_RESPONSE", FAILED],
]);

/** What a finish reason means; one that is not known is an ordinary end. */
export const endingOf = (native: string): Ending => ENDINGS.get(native) ?? STOP;

/** Gemini's word, where it says more than ours. */
export const nativeOf = (native: string): string | undefined =>
  native === "STOP" || native === "MAX_TOKENS" ? undefined : native;
