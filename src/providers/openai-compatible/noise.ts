/**
 * Keys of vendors that say nothing about an answer, and are left out of it: the accounts of filters, timings, paddings, and echoes of
 * what stands elsewhere. All other keys that Parley does not know are kept as they came.
 */

/** Of a whole answer, and of a chunk. */
export const FRAME_NOISE: ReadonlySet<string> = new Set([
  // Which kind of object it is; Parley says so itself.
  "object",
  "created",
  // Padding against traffic analysis: OpenAI's and Mistral's.
  "obfuscation",
  "p",
  // Azure.
  "prompt_filter_results",
  "latency_checkpoint",
  // Groq: an id of its own, and the usage again.
  "x_groq",
  // Cerebras.
  "time_info",
  // vLLM.
  "kv_transfer_params",
  "prompt_logprobs",
  "prompt_token_ids",
  "ec_transfer_params",
  // Together.
  "prompt",
]);

/** Of a choice. */
export const CHOICE_NOISE: ReadonlySet<string> = new Set([
  // Azure.
  "content_filter_results",
  "content_filter_result",
  "content_filter_offsets",
  // OpenRouter: the word of the provider behind it.
  "native_finish_reason",
  // vLLM.
  "stop_reason",
  "token_ids",
  "routed_experts",
  // SGLang.
  "matched_stop",
  "hidden_states",
  // Moonshot: the usage, which is read from here, too.
  "usage",
  // Together: the text again, and the seed.
  "text",
  "seed",
]);

/** Of a message, and of a delta. */
export const ANSWER_NOISE: ReadonlySet<string> = new Set([
  "role",
  // Groq: which of a model's channels it is; the reasoning has a field.
  "channel",
  // Azure.
  "content_filter_results",
  // Together.
  "token_id",
]);
