import type { ParameterTable, Treatment } from "../parameter-table.ts";

const passed: Treatment = { kind: "passed" };
const byList = "a server that is known not to take it does not get it, which is reported";
const unlessListed: Treatment = { kind: "passed", when: byList };
const orRefused: Treatment = { kind: "passed", when: "refused where the server is known not to take it" };

/**
 * What becomes of each parameter: as a rule it goes on as it is, since this is the API that it comes from. What a server or a model
 * does differently stands in vendors.ts and capabilities.ts.
 */
export const PARAMETERS: ParameterTable = {
  temperature: { kind: "passed", when: "left out for OpenAI's reasoning models, unless they are told not to reason" },
  topP: { kind: "passed", when: "left out for OpenAI's reasoning models, unless they are told not to reason" },
  topK: { kind: "passed", when: "left out for OpenAI itself" },
  frequencyPenalty: { kind: "passed", when: "left out for Cerebras and for reasoning models of OpenAI and xAI" },
  presencePenalty: { kind: "passed", when: "left out for Cerebras and for reasoning models of OpenAI and xAI" },
  logitBias: { kind: "passed", when: "left out for OpenAI's reasoning models, and where the server does not take it" },
  maxCompletionTokens: { kind: "passed", when: "as max_tokens where the server knows only that" },
  maxTokens: {
    kind: "passed",
    when: "as max_completion_tokens for OpenAI's reasoning models; left out beside the other",
  },
  stop: { kind: "passed", when: "left out for o3, o4-mini and the reasoning models of xAI" },
  n: orRefused,
  seed: { kind: "passed", when: "as random_seed for Mistral" },
  logprobs: { kind: "passed", when: "refused for reasoning models and where the server does not take it" },
  topLogprobs: { kind: "passed", when: "refused for reasoning models and where the server does not take it" },
  tools: { kind: "passed", when: "tools with free text as input are refused, unless the server is OpenAI" },
  toolChoice: {
    kind: "passed",
    when: "allowed_tools as fewer tools, unless the server is OpenAI; required as any for Mistral",
  },
  parallelToolCalls: unlessListed,
  functions: passed,
  functionCall: passed,
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
