import type { ChatCompletionParams } from "../gen/parley/chat/v1/params_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { Need, type Needs } from "./abilities.ts";
import { type Demand, pathOfNeed } from "./demand.ts";
import type { Target } from "./target.ts";

/** Why a target is not asked. */
export interface Exclusion {
  readonly reason: Reason;
  /** JSON path of the parameter that it can't honour; empty where it is none. */
  readonly path: string;
  readonly description: string;
}

/** Whether a target can give what a call demands, as far as it is known. */
export const isSuitable = ({ facts }: Target, demand: Demand): boolean =>
  (facts.lacks & demand.needs) === 0 && demand.choices <= facts.maxChoices && demand.promptTokens < facts.contextWindow;

/** In words, what a model that lacks it does not do. */
const WORDS: readonly (readonly [Needs, string])[] = [
  [Need.TOOLS, "the model does not call tools"],
  [Need.ONE_TOOL_AT_A_TIME, "the model can't be held to one tool at a time"],
  [Need.STRUCTURED_OUTPUT, "the model can't be held to a schema"],
  [Need.REASONING, "the model does not reason"],
  [Need.LOGPROBS, "the model gives no log probabilities"],
  [Need.IMAGES, "the model reads no images"],
  [Need.AUDIO, "the model hears no audio"],
  [Need.VIDEO, "the model watches no video"],
  [Need.FILES, "the model reads no files"],
  [Need.SPEECH, "the model does not speak"],
];

/** Everything that keeps a target from answering a call; empty where it is suitable. */
export function exclusionsOf({ facts }: Target, demand: Demand, params: ChatCompletionParams): Exclusion[] {
  const missing = facts.lacks & demand.needs;
  const exclusions: Exclusion[] = WORDS.filter(([need]) => (missing & need) !== 0).map(([need, description]) => ({
    reason: Reason.UNSUPPORTED_PARAMETER,
    path: pathOfNeed(need, params),
    description,
  }));
  if (demand.choices > facts.maxChoices) {
    const description = `the model gives ${facts.maxChoices} at most`;
    exclusions.push({ reason: Reason.UNSUPPORTED_VALUE, path: "n", description });
  }
  if (demand.promptTokens >= facts.contextWindow) {
    exclusions.push({
      reason: Reason.CONTEXT_LENGTH_EXCEEDED,
      path: "messages",
      description: `the messages have ${demand.promptTokens} tokens or more; the model's context has ${facts.contextWindow}`,
    });
  }
  return exclusions;
}
