import type { ParameterTable } from "../parameter-table.ts";

const SAMPLING = "models from 4.7 on, and all from version 2026-10-21 of the API on, take none: it is dropped";

/** What becomes of each parameter at Anthropic. */
export const PARAMETERS: ParameterTable = {
  temperature: {
    kind: "passed",
    when: `above 1, it is clamped to 1; while the model thinks, it is dropped unless it is 1; ${SAMPLING}`,
  },
  topP: {
    kind: "passed",
    when: `dropped beside \`temperature\` from 4.1 on, and below 0.95 while the model thinks; ${SAMPLING}`,
  },
  topK: { kind: "passed", when: `dropped while the model thinks; ${SAMPLING}` },
  frequencyPenalty: { kind: "dropped", why: "Anthropic has no penalties" },
  presencePenalty: { kind: "dropped", why: "Anthropic has no penalties" },
  logitBias: { kind: "dropped", why: "Anthropic does not let tokens be weighted" },
  maxCompletionTokens: {
    kind: "passed",
    as: "max_tokens",
    when: "clamped to what the model can; if unset, it is that",
  },
  maxTokens: { kind: "passed", when: "clamped to what the model can; `max_completion_tokens` wins" },
  stop: { kind: "passed", as: "stop_sequences", when: "sequences of white space alone are dropped" },
  n: { kind: "refused", why: "Anthropic gives one answer a call" },
  seed: { kind: "dropped", why: "Anthropic has no seed" },
  logprobs: { kind: "refused", why: "Anthropic does not tell log probabilities" },
  topLogprobs: { kind: "refused", why: "Anthropic does not tell log probabilities" },
  tools: { kind: "mapped", as: "tools", when: "custom tools are functions with one text" },
  toolChoice: {
    kind: "mapped",
    as: "tool_choice",
    when: "a forced call is asked for in words where the model refuses one, and refused while it thinks within a budget",
  },
  parallelToolCalls: { kind: "mapped", as: "tool_choice.disable_parallel_tool_use" },
  functions: { kind: "mapped", as: "tools", when: "the answer's call is a `function_call`; there is one at most" },
  functionCall: { kind: "mapped", as: "tool_choice" },
  responseFormat: {
    kind: "mapped",
    as: "output_config.format",
    when: "before 4.1, and where the schema cannot be kept otherwise, a tool whose arguments are the answer; `json_object` is asked for in words",
  },
  reasoningEffort: {
    kind: "mapped",
    as: "thinking, output_config.effort",
    when: "dropped where the model does not think",
  },
  verbosity: { kind: "dropped", why: "Anthropic has no such parameter" },
  modalities: { kind: "refused", why: "Anthropic's models do not speak" },
  audio: { kind: "refused", why: "Anthropic's models do not speak" },
  prediction: { kind: "dropped", why: "Anthropic takes no prediction; the answer is the same without it" },
  webSearchOptions: {
    kind: "mapped",
    as: "tools",
    when: "`search_context_size` is dropped; refused where a tool holds the answer to its schema",
  },
  serviceTier: {
    kind: "mapped",
    as: "service_tier",
    when: "`fast` is `speed`; `flex`, `scale` and `priority` are dropped",
  },
  store: { kind: "dropped", why: "Anthropic keeps no completions" },
  metadata: { kind: "dropped", why: "Anthropic keeps no completions that labels could stand on" },
  moderation: { kind: "refused", why: "Anthropic does not screen by a policy of the caller" },
  safetyIdentifier: { kind: "passed", as: "metadata.user_id" },
  user: { kind: "mapped", as: "metadata.user_id", when: "its SHA-256 is sent; `safety_identifier` wins" },
  promptCacheKey: { kind: "dropped", why: "Anthropic finds cached prefixes without a key" },
  promptCacheOptions: { kind: "mapped", as: "cache_control", when: "implicit caching is dropped" },
  promptCacheRetention: { kind: "dropped", why: "Anthropic keeps what is marked, and as long as the mark says" },
};
