import { ReasoningEffort } from "../../gen/parley/chat/v1/params_pb.ts";
import { OpenAIModelRule_Taken as Taken } from "../../gen/parley/config/v1/openai_compatible_pb.ts";
import { dropped, droppedKeys, mapped } from "../adjustment.ts";
import { adjustReasoning } from "./adjust-reasoning.ts";
import { type Fitting, leaveOut, leaveOutByName } from "./fitting.ts";

/**
 * Makes the parameters, besides messages and tools, fit for a model: what it does not take is left out and reported. Changes
 * `fitting.params` in place. Throws UNSUPPORTED_PARAMETER where that would change what is asked for.
 */
export function adjustParameters(fitting: Fitting): void {
  adjustReasoning(fitting);
  for (const name of fitting.traits.unsupported) leaveOutByName(fitting, name, "the server does not take it");
  const { params, traits } = fitting;
  const isReasoning = params.reasoningEffort !== ReasoningEffort.NONE;
  const whyNot = (taken: Taken): string =>
    taken === Taken.WITHOUT_REASONING ? "the model does not take it when it reasons" : "the model does not take it";
  const takes = (taken: Taken): boolean => taken !== Taken.NEVER && !(taken === Taken.WITHOUT_REASONING && isReasoning);
  if (!takes(traits.sampling)) leaveOut(fitting, ["temperature", "topP"], whyNot(traits.sampling));
  if (!takes(traits.penalties))
    leaveOut(fitting, ["frequencyPenalty", "presencePenalty", "logitBias"], whyNot(traits.penalties));
  if (!takes(traits.logprobs)) leaveOut(fitting, ["logprobs", "topLogprobs"], whyNot(traits.logprobs));
  if (!traits.stop) leaveOut(fitting, ["stop"], "the model does not take it");
  if (!traits.promptCacheRetention) leaveOut(fitting, ["promptCacheRetention"], "the model does not take it any more");
  if (traits.tools === false) leaveOut(fitting, ["tools", "functions"], "the model does not call tools");
  if (traits.genuine) {
    leaveOut(fitting, ["topK"], "OpenAI draws by temperature and top_p only");
    fitting.adjustments.push(...droppedKeys("", params.extra, "OpenAI refuses parameters that it does not know"));
    params.extra = undefined;
  } else {
    // Others would answer as if it had not been asked for.
    leaveOut(fitting, ["moderation"], "only OpenAI screens content");
  }
  adjustLimit(fitting);
}

/** Says the limit of tokens under the name that the model knows; of two, the one that counts reasoning wins. */
function adjustLimit({ params, traits, adjustments }: Fitting): void {
  const { maxTokens, maxCompletionTokens } = params;
  if (maxTokens !== undefined && maxCompletionTokens !== undefined) {
    params.maxTokens = undefined;
    if (maxTokens !== maxCompletionTokens)
      adjustments.push(dropped("max_tokens", "max_completion_tokens is set, too, and wins", maxTokens));
  }
  const why = "the model knows the limit of tokens by this name only";
  if (traits.tokenLimit === "max_tokens" && maxCompletionTokens !== undefined) {
    params.maxCompletionTokens = undefined;
    params.maxTokens = maxCompletionTokens;
    adjustments.push(mapped("max_completion_tokens", why, maxCompletionTokens, { max_tokens: maxCompletionTokens }));
  }
  if (traits.tokenLimit === "max_completion_tokens" && params.maxTokens !== undefined) {
    const limit = params.maxTokens;
    params.maxTokens = undefined;
    params.maxCompletionTokens = limit;
    adjustments.push(mapped("max_tokens", why, limit, { max_completion_tokens: limit }));
  }
}
