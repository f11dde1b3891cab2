import type { ChatCompletion, ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";

/** Takes the model's reasoning out of an answer; its tokens stay in the usage. */
export function hideReasoning(completion: ChatCompletion): void {
  for (const { message } of completion.choices) {
    if (message === undefined) continue;
    message.reasoningContent = undefined;
    message.reasoningDetails = [];
  }
}

/** Takes the model's reasoning out of a chunk. */
export function hideReasoningInChunk(chunk: ChatCompletionChunk): void {
  for (const { delta } of chunk.choices) {
    if (delta === undefined) continue;
    delta.reasoningContent = undefined;
    delta.reasoningDetails = [];
  }
}
