import type { JsonValue } from "@bufbuild/protobuf";
import { type ChatCompletionParams, ReasoningEffort } from "../../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import {
  GoogleModelRule_Level as Level,
  GoogleModelRule_Thinking as Thinking,
} from "../../gen/parley/config/v1/google_pb.ts";
import { clamped, dropped, mapped } from "../adjustment.ts";
import { effortWord, type ReasoningRequest, readReasoning } from "../reasoning-request.ts";
import type { Capabilities } from "./capabilities.ts";
import type { ThinkingConfig } from "./wire.ts";

/** What is sent for the wish to think. */
export interface EncodedReasoning {
  readonly config: ThinkingConfig | undefined;
  readonly adjustments: readonly Adjustment[];
  /** Keys of `params.extra` that were understood. */
  readonly keys: readonly string[];
}

type Effort = Exclude<ReasoningEffort, ReasoningEffort.UNSPECIFIED>;

/** Tokens of thought for an effort, before the model's bounds. XHIGH and MAX are the most that the model takes. */
const BUDGET: Readonly<Record<Exclude<Effort, ReasoningEffort.NONE>, number>> = {
  [ReasoningEffort.MINIMAL]: 512,
  [ReasoningEffort.LOW]: 1024,
  [ReasoningEffort.MEDIUM]: 8192,
  [ReasoningEffort.HIGH]: 24_576,
  [ReasoningEffort.XHIGH]: Number.MAX_SAFE_INTEGER,
  [ReasoningEffort.MAX]: Number.MAX_SAFE_INTEGER,
};

/** The level that says the same as an effort; `same`: whether it does, or is only the nearest there can be. */
const LEVEL: Readonly<Record<Effort, { readonly level: Level; readonly same: boolean }>> = {
  [ReasoningEffort.NONE]: { level: Level.MINIMAL, same: false },
  [ReasoningEffort.MINIMAL]: { level: Level.MINIMAL, same: true },
  [ReasoningEffort.LOW]: { level: Level.LOW, same: true },
  [ReasoningEffort.MEDIUM]: { level: Level.MEDIUM, same: true },
  [ReasoningEffort.HIGH]: { level: Level.HIGH, same: true },
  [ReasoningEffort.XHIGH]: { level: Level.XHIGH, same: true },
  [ReasoningEffort.MAX]: { level: Level.XHIGH, same: false },
};

/** Says in Gemini's terms how much the model is to think. Its thoughts are asked for where somebody asked for thinking. */
export function encodeReasoning(params: ChatCompletionParams, capabilities: Capabilities): EncodedReasoning {
  const asked = readReasoning(params);
  const { keys } = asked;
  const adjustments: Adjustment[] = [...asked.adjustments];
  const isSilent = asked.effort === ReasoningEffort.UNSPECIFIED && asked.budget === undefined;
  if (isSilent && asked.wanted !== true) return { config: undefined, adjustments, keys };
  if (capabilities.thinking === Thinking.NONE) {
    if (asked.effort !== ReasoningEffort.NONE && !isSilent)
      adjustments.push(dropped(asked.path, "the model does not think", wordOf(asked)));
    return { config: undefined, adjustments, keys };
  }
  const amount = isSilent ? {} : amountOf(asked, capabilities, adjustments);
  const includes = asked.wanted ?? asked.effort !== ReasoningEffort.NONE;
  return { config: { ...amount, ...(includes ? { includeThoughts: true } : {}) }, adjustments, keys };
}

function amountOf(asked: ReasoningRequest, capabilities: Capabilities, adjustments: Adjustment[]): ThinkingConfig {
  return capabilities.thinking === Thinking.BUDGET
    ? { thinkingBudget: budgetOf(asked, capabilities, adjustments) }
    : { thinkingLevel: levelOf(asked, capabilities, adjustments) };
}

function budgetOf(asked: ReasoningRequest, capabilities: Capabilities, adjustments: Adjustment[]): number {
  const { minThinkingBudget: least, maxThinkingBudget: most, thinkingOff } = capabilities;
  const { effort, budget, path } = asked;
  if (budget !== undefined) {
    const taken = Math.min(Math.max(budget, least), most);
    if (taken !== budget) adjustments.push(clamped(path, `the model takes from ${least} to ${most}`, budget, taken));
    return taken;
  }
  if (effort === ReasoningEffort.NONE) {
    if (thinkingOff) return 0;
    adjustments.push(mapped(path, "the model always thinks", wordOf(asked), least));
    return least;
  }
  return Math.min(Math.max(BUDGET[effort as keyof typeof BUDGET], least), most);
}

function levelOf(asked: ReasoningRequest, { thinkingLevels }: Capabilities, adjustments: Adjustment[]) {
  const { effort, budget, path } = asked;
  const { level, same } =
    budget === undefined ? LEVEL[effort as Effort] : { level: levelOfBudget(budget), same: false };
  const levels = [...thinkingLevels].sort((a, b) => a - b);
  const taken = levels.find((each) => each >= level) ?? (levels.at(-1) as Level);
  const name = Level[taken] as "MINIMAL" | "LOW" | "MEDIUM" | "HIGH" | "XHIGH";
  if (!same || taken !== level)
    adjustments.push(mapped(path, "the model is told how much to think by its own levels", wordOf(asked), name));
  return name;
}

/** The level that comes nearest to a number of tokens, by what efforts are worth where there are budgets. */
function levelOfBudget(budget: number): Level {
  if (budget <= BUDGET[ReasoningEffort.MINIMAL]) return Level.MINIMAL;
  if (budget <= 4096) return Level.LOW;
  return budget <= 16_384 ? Level.MEDIUM : Level.HIGH;
}

/** What was asked for, as the request has it. */
const wordOf = ({ effort, budget }: ReasoningRequest): JsonValue => budget ?? effortWord(effort) ?? "default";
