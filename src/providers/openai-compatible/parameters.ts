import type { ParameterTable, Treatment } from "../parameter-table.ts";

/** GPT-5.1 is the first of them that can be told not to reason and then draws as others do. */
const unlessTold = "OpenAI's reasoning models; from GPT-5.1 on, they take it with `reasoning_effort: none`";
const sampling: Treatment = { kind: "passed", when: `left out for ${unlessTold}` };
const logProbabilities: Treatment = {
  kind: "passed",
  when: `refused where the server is known not to take it, and for ${unlessTold}`,
};
const penalized = "left out for Cerebras and for reasoning models of OpenAI and xAI";
const byList = "left out where the server is known not to take it";
const unlessListed: Treatment = { kind: "passed", when: byList };
const orRefused: Treatment = { kind: "passed", when: "refused where the server is known not to take it" };

/**
 * What becomes of each parameter: as a rule it goes on as it is, since this is the API that it comes from. What a server or a model
 * does differently stands in vendors.ts and capabilities.ts.
 */
export const PARAMETERS: ParameterTable = {
  temperature: sampling,
  topP: sampling,
  topK: { kind: "passed", when: "left out for OpenAI itself" },
  frequencyPenalty: { kind: "passed", when: penalized },
  presencePenalty: { kind: "passed", when: penalized },
  logitBias: { kind: "passed", when: `${penalized}, and where the server is known not to take it` },
  maxCompletionTokens: { kind: "passed", when: "as `max_tokens` where the server knows only that" },
  maxTokens: {
    kind: "passed",
    when: "as `max_completion_tokens` for OpenAI's reasoning models; `max_completion_tokens` wins",
  },
  stop: { kind: "passed", when: "left out for o3, o4-mini and the reasoning models of xAI" },
  n: orRefused,
  seed: { kind: "passed", when: "as `random_seed` for Mistral" },
  logprobs: logProbabilities,
  topLogprobs: logProbabilities,
  tools: {
    kind: "passed",
    when: "tools with free text as input are refused where the server is known not to take them",
  },
  toolChoice: {
    kind: "passed",
    when: "`allowed_tools` is said by fewer tools where the server is known not to take it; `required` is `any` for Mistral",
  },
  parallelToolCalls: unlessListed,
  functions: {
    kind: "passed",
    when: "as `tools` where the server is known to take only those; the answer's call is a `function_call` then, too, and there is one at most",
  },
  functionCall: { kind: "passed", when: "as `tool_choice` where the server is known to take only that" },
  responseFormat: orRefused,
  reasoningEffort: { kind: "passed", when: "left out for OpenAI's models without reasoning" },
  verbosity: unlessListed,
  modalities: orRefused,
  audio: orRefused,
  prediction: unlessListed,
  webSearchOptions: orRefused,
  serviceTier: unlessListed,
  store: unlessListed,
  metadata: unlessListed,
  moderation: { kind: "passed", when: "refused unless the server is OpenAI" },
  safetyIdentifier: unlessListed,
  user: unlessListed,
  promptCacheKey: unlessListed,
  promptCacheOptions: unlessListed,
  promptCacheRetention: {
    kind: "passed",
    when: "left out for OpenAI's newest models, and where the server does not take it",
  },
};
