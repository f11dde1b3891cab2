import type { ParameterTable } from "../parameter-table.ts";

const honoured = { kind: "passed" } as const;
const dropped = (why: string) => ({ kind: "dropped", why }) as const;

/** What the sandbox does with each parameter. */
export const PARAMETERS: ParameterTable = {
  temperature: honoured,
  topP: honoured,
  topK: dropped("the sandbox draws by temperature and top_p only"),
  frequencyPenalty: dropped("the sandbox has no penalties"),
  presencePenalty: dropped("the sandbox has no penalties"),
  logitBias: dropped("the sandbox has no logits"),
  maxCompletionTokens: { kind: "passed", when: "clamped to 4096" },
  maxTokens: { kind: "passed", when: "clamped to 4096; dropped when `max_completion_tokens` says another number" },
  stop: honoured,
  n: honoured,
  seed: honoured,
  logprobs: { kind: "passed", when: "refused above 200,000 log probabilities in one piece" },
  topLogprobs: honoured,
  tools: { kind: "passed", when: "refused with a grammar of syntax `lark`" },
  toolChoice: honoured,
  parallelToolCalls: honoured,
  functions: honoured,
  functionCall: honoured,
  responseFormat: honoured,
  reasoningEffort: honoured,
  verbosity: dropped("the sandbox has one length of answers"),
  modalities: { kind: "refused", why: "the sandbox does not speak" },
  audio: dropped("the sandbox does not speak"),
  prediction: dropped("the sandbox needs no prediction to be fast"),
  webSearchOptions: dropped("the sandbox does not reach the web"),
  serviceTier: { kind: "mapped", as: "default", when: "`auto` is no change" },
  store: dropped("the sandbox keeps nothing"),
  metadata: dropped("the sandbox keeps nothing"),
  moderation: { kind: "refused", why: "the sandbox does not screen content" },
  safetyIdentifier: dropped("the sandbox does not watch for abuse"),
  user: dropped("the sandbox does not watch for abuse"),
  promptCacheKey: dropped("the sandbox has no cache"),
  promptCacheOptions: dropped("the sandbox has no cache"),
  promptCacheRetention: dropped("the sandbox has no cache"),
};
