import type { Message, ReasoningDetail } from "../../gen/parley/chat/v1/message_pb.ts";
import { OpenAIQuirks_ReasoningReplay as ReasoningReplay } from "../../gen/parley/config/v1/openai_compatible_pb.ts";
import { dropped } from "../adjustment.ts";
import type { PartContext } from "./encode-part.ts";

/**
 * Gives a model its own reasoning back in the one field that its server wants it in, and in no other: servers refuse fields that they
 * do not know, and some refuse a call whose reasoning is missing. `message` is as the request has it.
 */
export function replayReasoning(encoded: Message, message: Message, path: string, context: PartContext): Message {
  const { reasoningReplay: replay } = context.traits;
  const text = reasoningOf(message);
  switch (replay) {
    case ReasoningReplay.CONTENT:
      // Beside tool calls it has to be there, even when it was lost on the way.
      return withReasoning(encoded, text ?? (message.toolCalls.length > 0 ? "" : undefined));
    case ReasoningReplay.DETAILS: {
      const reasoningDetails = withoutForeign(message.reasoningDetails, path, context);
      if (reasoningDetails.length > 0) return { ...encoded, reasoningContent: undefined, reasoningDetails };
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

/** Forms of thoughts that only the models of one author can read. */
const AUTHORS: ReadonlyMap<string | undefined, string> = new Map([
  ["anthropic-claude-v1", "anthropic"],
  ["google-gemini-v1", "google"],
]);

/** The author of a model, where its name says so: "openrouter/auto" may be anybody's. */
const authorOf = (model: string): string | undefined => /^(?!openrouter\/)([^/]+)\//.exec(model)?.[1];

/** The thoughts without those that are signed for models of another author. */
function withoutForeign(
  details: ReasoningDetail[],
  path: string,
  { model, adjustments }: PartContext,
): ReasoningDetail[] {
  const author = authorOf(model);
  return details.filter(({ format }, at) => {
    const isOwn = author === undefined || author === (AUTHORS.get(format) ?? author);
    if (!isOwn)
      adjustments.push(dropped(`${path}.reasoning_details[${at}]`, "it is signed for models of another author"));
    return isOwn;
  });
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
