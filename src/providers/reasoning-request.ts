import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { type ChatCompletionParams, ReasoningEffort, ReasoningEffortSchema } from "../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../gen/parley/chat/v1/report_pb.ts";
import { isObject } from "../openai-json/is-object.ts";
import { enumWords } from "../openai-json/words.ts";
import { dropped } from "./adjustment.ts";

const { NONE } = ReasoningEffort;

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
  /** What stands in these keys and is not followed: it is not known here, or something else wins. */
  readonly adjustments: readonly Adjustment[];
}

/**
 * Reads `reasoning_effort`, and the extensions that other gateways have made common: `reasoning: {effort, max_tokens, exclude,
 * enabled}` (OpenRouter), `thinking: {type, budget_tokens, display}` (Anthropic, LiteLLM), `include_reasoning`. The parameter of OpenAI wins.
 */
export function readReasoning({ reasoningEffort, extra = {} }: ChatCompletionParams): ReasoningRequest {
  const { reasoning, thinking, include_reasoning: include } = extra;
  const keys: string[] = [];
  const adjustments: Adjustment[] = [];
  let asked: Asked | undefined =
    reasoningEffort === ReasoningEffort.UNSPECIFIED ? undefined : { effort: reasoningEffort, path: "reasoning_effort" };
  let wanted: boolean | undefined;
  /** `turn`: the key that turns reasoning on or off; `apart`: one that says nothing of how much. */
  const read = (extension: string, object: JsonObject, own: Asked | undefined, turn: string, apart: string): void => {
    keys.push(extension);
    asked ??= own;
    const isSame = own !== undefined && own.effort === asked?.effort && own.budget === asked?.budget;
    const isOn = own?.path === `${extension}.${turn}` && own.effort !== NONE && asked?.effort !== NONE;
    for (const [key, value] of Object.entries(object)) {
      const path = `${extension}.${key}`;
      const isFollowed = key === apart || ((isSame || isOn) && (key === turn || path === own?.path));
      if (value !== null && !isFollowed) adjustments.push(dropped(path, "it is not known, or another parameter wins"));
    }
  };
  if (isObject(reasoning)) {
    read("reasoning", reasoning, askedByOpenRouter(reasoning), "enabled", "exclude");
    if (typeof reasoning["exclude"] === "boolean") wanted = !reasoning["exclude"];
  }
  if (isObject(thinking)) {
    read("thinking", thinking, askedByAnthropic(thinking), "type", "display");
    if (thinking["display"] === "summarized" || thinking["display"] === "omitted")
      wanted ??= thinking["display"] === "summarized";
  }
  if (typeof include === "boolean") {
    keys.push("include_reasoning");
    wanted ??= include;
  }
  const { effort = ReasoningEffort.UNSPECIFIED, path = "reasoning_effort", budget } = asked ?? {};
  return { effort, path, budget, wanted, keys, adjustments };
}

/** What one of the ways says: an effort, or a budget. */
interface Asked {
  readonly path: string;
  readonly effort?: ReasoningEffort;
  readonly budget?: number;
}

/** To turn reasoning on and to say no more is a medium effort, as OpenRouter has it; a budget of 0 turns it off. */
function askedByOpenRouter({ effort: word, enabled, max_tokens: most }: JsonObject): Asked | undefined {
  const effort = effortOf(word);
  if (effort !== undefined) return { effort, path: "reasoning.effort" };
  if (enabled === false) return { effort: ReasoningEffort.NONE, path: "reasoning.enabled" };
  if (most === 0) return { effort: ReasoningEffort.NONE, path: "reasoning.max_tokens" };
  if (isCount(most)) return { budget: most, path: "reasoning.max_tokens" };
  return enabled === true ? { effort: ReasoningEffort.MEDIUM, path: "reasoning.enabled" } : undefined;
}

function askedByAnthropic({ type, budget_tokens: most }: JsonObject): Asked | undefined {
  if (type === "disabled") return { effort: ReasoningEffort.NONE, path: "thinking.type" };
  if (most === 0) return { effort: ReasoningEffort.NONE, path: "thinking.budget_tokens" };
  if (isCount(most)) return { budget: most, path: "thinking.budget_tokens" };
  if (type === "adaptive") return { effort: ReasoningEffort.HIGH, path: "thinking.type" };
  return type === "enabled" ? { effort: ReasoningEffort.MEDIUM, path: "thinking.type" } : undefined;
}

const isCount = (value: JsonValue | undefined): value is number =>
  typeof value === "number" && Number.isInteger(value) && value > 0;

const { numberOf, wordOf } = enumWords(ReasoningEffortSchema);

/** The word of an effort; undefined where nothing is said. */
export const effortWord = (effort: ReasoningEffort): string | undefined => wordOf.get(effort);

const effortOf = (word: JsonValue | undefined): ReasoningEffort | undefined =>
  typeof word === "string" ? numberOf.get(word) : undefined;
