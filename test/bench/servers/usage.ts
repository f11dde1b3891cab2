/** What the servers that are compared say that an answer took; in the contract's words and in OpenAI's, which are the same. */
export const USAGE = {
  prompt_tokens: 100,
  completion_tokens: 30,
  total_tokens: 130,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0, cache_write_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
  cache_read_input_tokens: 0,
  cache_creation_input_tokens: 0,
};
