import { type ChatCompletionParams, ReasoningEffort } from "../../gen/parley/chat/v1/params_pb.ts";
import { dropped, mapped } from "../adjustment.ts";
import { effortWord, readReasoning } from "../reasoning-request.ts";
import type { Fitting } from "./fitting.ts";

/**
 * Says how much a model reasons in OpenAI's own words, where it is OpenAI that is asked: extensions of other gateways become
 * `reasoning_effort`. Other servers get what the request has, since some of these extensions are theirs.
 */
export function adjustReasoning({ params, traits, adjustments }: Fitting): void {
  if (traits.genuine) foldExtensions(params, adjustments);
  if (traits.reasoning === false && params.reasoningEffort !== ReasoningEffort.UNSPECIFIED) {
    if (params.reasoningEffort !== ReasoningEffort.NONE)
      adjustments.push(dropped("reasoning_effort", "the model does not reason", wordOf(params.reasoningEffort)));
    params.reasoningEffort = ReasoningEffort.UNSPECIFIED;
  }
}

function foldExtensions(params: ChatCompletionParams, adjustments: Fitting["adjustments"]): void {
  const asked = readReasoning(params);
  const { effort, path, budget, wanted, keys } = asked;
  if (keys.length === 0) return;
  adjustments.push(...asked.adjustments);
  if (budget !== undefined)
    adjustments.push(dropped(path, "OpenAI has no limit for the tokens of reasoning alone", budget));
  if (effort !== params.reasoningEffort) {
    const word = wordOf(effort);
    adjustments.push(mapped(path, "OpenAI calls it reasoning_effort", word, { reasoning_effort: word }));
    params.reasoningEffort = effort;
  }
  if (wanted === true)
    adjustments.push(dropped("include_reasoning", "OpenAI does not show what its models think", true));
  const rest = Object.entries(params.extra ?? {}).filter(([key]) => !keys.includes(key));
  params.extra = rest.length === 0 ? undefined : Object.fromEntries(rest);
}

const wordOf = (effort: ReasoningEffort): string => effortWord(effort) ?? "";
