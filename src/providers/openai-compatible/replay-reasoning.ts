import type { Message } from "../../gen/parley/chat/v1/message_pb.ts";
import { OpenAIQuirks_ReasoningReplay as ReasoningReplay } from "../../gen/parley/config/v1/openai_compatible_pb.ts";

/**
 * Gives a model its own reasoning back in the one field that its server wants it in, and in no other: servers refuse fields that they
 * do not know, and some refuse a call whose reasoning is missing. `message` is as the request has it.
 */
export function replayReasoning(encoded: Message, message: Message, replay: ReasoningReplay): Message {
  const text = reasoningOf(message);
  switch (replay) {
    case ReasoningReplay.CONTENT:
      // Beside tool calls it has to be there, even when it was lost on the way.
      return withReasoning(encoded, text ?? (message.toolCalls.length > 0 ? "" : undefined));
    case ReasoningReplay.DETAILS: {
      if (message.reasoningDetails.length > 0) return { ...encoded, reasoningContent: undefined };
      const plain = withReasoning(encoded, undefined);
      return text === undefined ? plain : { ...plain, extra: { ...plain.extra, reasoning: text } };
    }
    case ReasoningReplay.NONE:
    case ReasoningReplay.UNSPECIFIED:
      return withReasoning(encoded, undefined);
    default:
      return replay satisfies never;
  }
}

const withReasoning = (encoded: Message, reasoningContent: string | undefined): Message => ({
  ...encoded,
  reasoningContent,
  reasoningDetails: [],
});

/** The text of the reasoning, under either of its names. */
function reasoningOf({ reasoningContent, extra }: Message): string | undefined {
  const alias = extra?.["reasoning"];
  return reasoningContent ?? (typeof alias === "string" ? alias : undefined);
}
