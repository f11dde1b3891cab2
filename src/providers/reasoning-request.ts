import type { JsonValue } from "@bufbuild/protobuf";
import { type ChatCompletionParams, ReasoningEffort, ReasoningEffortSchema } from "../gen/parley/chat/v1/params_pb.ts";
import { isObject } from "../openai-json/is-object.ts";
import { enumWords } from "../openai-json/words.ts";

/** What a request says of reasoning, in whichever way it says it. */
export interface ReasoningRequest {
  /** UNSPECIFIED: nothing is said. */
  readonly effort: ReasoningEffort;
  /** Path of the parameter that says the effort, or the budget. */
  readonly path: string;
  /** Most tokens of reasoning, where they are given. */
  readonly budget: number | undefined;
  /** Whether the text of the reasoning is wanted; undefined: nothing is said. */
  readonly wanted: boolean | undefined;
  /** Keys of `params.extra` that were understood here. */
  readonly keys: readonly string[];
}

/**
 * Reads `reasoning_effort`, and the extensions that other gateways have made common: `reasoning: {effort, max_tokens, exclude,
 * enabled}` (OpenRouter), `thinking: {type, budget_tokens}` (Anthropic, LiteLLM), `include_reasoning`. The parameter of OpenAI wins.
 */
export function readReasoning({ reasoningEffort, extra = {} }: ChatCompletionParams): ReasoningRequest {
  const { reasoning, thinking, include_reasoning: include } = extra;
  const keys: string[] = [];
  let effort = reasoningEffort;
  let path = "reasoning_effort";
  let budget: number | undefined;
  let wanted: boolean | undefined;
  if (isObject(reasoning)) {
    keys.push("reasoning");
    const asked = effortOf(reasoning["effort"]) ?? (reasoning["enabled"] === false ? ReasoningEffort.NONE : undefined);
    if (effort === ReasoningEffort.UNSPECIFIED && asked !== undefined) {
      effort = asked;
      path = "reasoning.effort";
    }
    if (effort === ReasoningEffort.UNSPECIFIED && isCount(reasoning["max_tokens"])) {
      budget = reasoning["max_tokens"];
      path = "reasoning.max_tokens";
    }
    if (typeof reasoning["exclude"] === "boolean") wanted = !reasoning["exclude"];
  }
  if (isObject(thinking)) {
    keys.push("thinking");
    if (effort === ReasoningEffort.UNSPECIFIED && budget === undefined) {
      if (thinking["type"] === "disabled") effort = ReasoningEffort.NONE;
      if (thinking["type"] === "adaptive") effort = ReasoningEffort.HIGH;
      if (isCount(thinking["budget_tokens"])) budget = thinking["budget_tokens"];
      path = budget === undefined ? "thinking.type" : "thinking.budget_tokens";
    }
  }
  if (typeof include === "boolean") {
    keys.push("include_reasoning");
    wanted ??= include;
  }
  return { effort, path, budget, wanted, keys };
}

const isCount = (value: JsonValue | undefined): value is number =>
  typeof value === "number" && Number.isInteger(value) && value > 0;

const { numberOf } = enumWords(ReasoningEffortSchema);

const effortOf = (word: JsonValue | undefined): ReasoningEffort | undefined =>
  typeof word === "string" ? numberOf.get(word) : undefined;
