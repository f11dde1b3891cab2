import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import { ReasoningEffort } from "../../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import { clamped, dropped, mapped } from "../adjustment.ts";
import { effortWord, type ReasoningRequest, readReasoning } from "../reasoning-request.ts";
import type { Capabilities } from "./capabilities.ts";
import type { WireEffort, WireThinking } from "./wire.ts";

/** How a model is to think, and what follows from it. */
export interface Reasoning {
  readonly thinking?: WireThinking;
  readonly effort?: WireEffort;
  /** Most tokens of the answer: thinking counts among them. */
  readonly maxTokens: number;
  /** Path of the parameter that asked for it. */
  readonly path: string;
  /** Keys of `params.extra` that were understood. */
  readonly keys: readonly string[];
  readonly adjustments: readonly Adjustment[];
}

/** Least budget that Anthropic takes. */
const MIN_BUDGET = 1_024;

/** Share of the tokens of an answer that an effort may spend on thinking. */
const SHARES: readonly (readonly [ReasoningEffort, number])[] = [
  [ReasoningEffort.MINIMAL, 0],
  [ReasoningEffort.LOW, 0.2],
  [ReasoningEffort.MEDIUM, 0.5],
  [ReasoningEffort.HIGH, 0.8],
  [ReasoningEffort.XHIGH, 0.95],
  [ReasoningEffort.MAX, 1],
];

/**
 * Says `reasoning_effort` and its like in Anthropic's terms. `limit`: most tokens of the answer, and `limitPath` the parameter that
 * says so. `isUnsigned`: whether the tool loop that goes on began with thoughts that are lost, so that the model may not think in it.
 */
export function encodeReasoning(
  params: ChatCompletionParams,
  capabilities: Capabilities,
  limit: number,
  limitPath: string,
  isUnsigned: boolean,
): Reasoning {
  const asked = readReasoning(params);
  const reasoning = reason(asked, capabilities, limit, limitPath, isUnsigned);
  return { ...reasoning, adjustments: [...asked.adjustments, ...reasoning.adjustments] };
}

function reason(
  asked: ReasoningRequest,
  capabilities: Capabilities,
  limit: number,
  limitPath: string,
  isUnsigned: boolean,
): Reasoning {
  const plain = { maxTokens: limit, path: asked.path, keys: asked.keys, adjustments: [] };
  const display = asked.wanted === false ? "omitted" : "summarized";
  const isAsked = asked.effort !== ReasoningEffort.UNSPECIFIED || asked.budget !== undefined;
  if (!isAsked) {
    if (asked.wanted !== true || !capabilities.adaptiveThinking) return plain;
    return { ...plain, thinking: { type: "adaptive", display } };
  }
  const { thinkingBudget, adaptiveThinking } = capabilities;
  if (asked.effort === ReasoningEffort.NONE) return { ...plain, ...withoutThinking(asked, capabilities) };
  if (!thinkingBudget && !adaptiveThinking)
    return { ...plain, adjustments: [dropped(asked.path, "this model does not think", askedValue(asked))] };
  if (adaptiveThinking && (asked.budget === undefined || !thinkingBudget)) {
    const { effort, adjustments } = adaptiveEffort(asked, capabilities, limit);
    return {
      ...plain,
      thinking: { type: "adaptive", display },
      ...(capabilities.effort ? { effort } : {}),
      adjustments,
    };
  }
  if (isUnsigned) {
    const why =
      "the thoughts before the last calls of tools came without their signatures, and without them it cannot go on thinking";
    return {
      ...plain,
      thinking: { type: "disabled" },
      adjustments: [mapped(asked.path, why, askedValue(asked), "disabled")],
    };
  }
  return { ...plain, ...withBudget(asked, limit, limitPath, display) };
}

const askedValue = ({ budget, effort }: ReasoningRequest): string | number => budget ?? effortWord(effort) ?? "";

function withoutThinking(
  { path }: ReasoningRequest,
  { thinkingBetweenTools, thinkingOff, thinkingBudget, adaptiveThinking, effort }: Capabilities,
): Partial<Reasoning> {
  if (!thinkingBudget && !adaptiveThinking) return {};
  if (thinkingBetweenTools) {
    const adjustments = [mapped(path, "this model thinks between tools at the least", "none", "between_tools")];
    return { thinking: { type: "between_tools" }, adjustments };
  }
  if (thinkingOff) return { thinking: { type: "disabled" } };
  const why = "this model always thinks";
  if (!effort) return { adjustments: [dropped(path, why, "none")] };
  return { effort: "low", adjustments: [mapped(path, why, "none", "low")] };
}

const WORDS: Readonly<Record<ReasoningEffort, WireEffort>> = {
  [ReasoningEffort.UNSPECIFIED]: "high",
  [ReasoningEffort.NONE]: "low",
  [ReasoningEffort.MINIMAL]: "low",
  [ReasoningEffort.LOW]: "low",
  [ReasoningEffort.MEDIUM]: "medium",
  [ReasoningEffort.HIGH]: "high",
  [ReasoningEffort.XHIGH]: "xhigh",
  [ReasoningEffort.MAX]: "max",
};

function adaptiveEffort(
  asked: ReasoningRequest,
  { effort: takesEffort, xhighEffort }: Capabilities,
  limit: number,
): { effort: WireEffort; adjustments: Adjustment[] } {
  const wanted = asked.budget === undefined ? asked.effort : effortOfBudget(asked.budget / limit);
  const word = WORDS[wanted];
  const effort = word === "xhigh" && !xhighEffort ? "high" : word;
  if (!takesEffort)
    return {
      effort,
      adjustments: [mapped(asked.path, "this model decides itself how much it thinks", askedValue(asked), "adaptive")],
    };
  if (asked.budget === undefined && effort === effortWord(asked.effort)) return { effort, adjustments: [] };
  const why =
    asked.budget === undefined
      ? "the nearest effort that this model knows"
      : "this model takes an effort, and no budget";
  return { effort, adjustments: [mapped(asked.path, why, askedValue(asked), effort)] };
}

/** The least effort whose share a budget fits into. */
const effortOfBudget = (share: number): ReasoningEffort =>
  SHARES.find(([effort, most]) => effort !== ReasoningEffort.MINIMAL && share <= most)?.[0] ?? ReasoningEffort.MAX;

function withBudget(
  asked: ReasoningRequest,
  limit: number,
  limitPath: string,
  display: "summarized" | "omitted",
): Partial<Reasoning> {
  const adjustments: Adjustment[] = [];
  let maxTokens = limit;
  if (limit <= MIN_BUDGET) {
    maxTokens = limit + MIN_BUDGET;
    const why = `the tokens of thinking count among them, and are at least ${MIN_BUDGET}`;
    adjustments.push(clamped(limitPath, why, limit, maxTokens));
  }
  const share = SHARES.find(([effort]) => effort === asked.effort)?.[1] ?? 1;
  // What was raised to make room for thinking has room for no more: the rest is the answer's.
  const wanted = asked.budget ?? (maxTokens > limit ? MIN_BUDGET : Math.floor(maxTokens * share));
  const budget = Math.min(Math.max(wanted, MIN_BUDGET), maxTokens - 1);
  if (asked.budget !== undefined && asked.budget !== budget) {
    const why = `a budget has at least ${MIN_BUDGET} tokens, and fewer than the whole answer`;
    adjustments.push(clamped(asked.path, why, asked.budget, budget));
  }
  return { thinking: { type: "enabled", budget_tokens: budget, display }, maxTokens, adjustments };
}
