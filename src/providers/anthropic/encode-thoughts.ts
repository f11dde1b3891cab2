import { ReasoningDetail_Type } from "../../gen/parley/chat/v1/message_pb.ts";
import { dropped } from "../adjustment.ts";
import type { AssistantTurn } from "../turns.ts";
import type { Capabilities } from "./capabilities.ts";
import type { Notes } from "./encode-parts.ts";
import { FORMAT } from "./reasoning-format.ts";
import type { RedactedThinkingBlock, ThinkingBlock } from "./wire.ts";

/** The thoughts that Anthropic signed, unchanged and in order. Those of others, and unsigned ones, are left out. */
export function encodeThoughts(
  { index, reasoningContent, reasoningDetails }: AssistantTurn,
  { thinkingBudget, adaptiveThinking }: Capabilities,
  { adjustments }: Notes,
): (ThinkingBlock | RedactedThinkingBlock)[] {
  const path = `messages[${index}]`;
  const blocks: (ThinkingBlock | RedactedThinkingBlock)[] = [];
  const thinks = thinkingBudget || adaptiveThinking;
  let open: { readonly index: number; text: string; readonly place: string } | undefined;
  const dropOpen = (): void => {
    if (open !== undefined) adjustments.push(dropped(open.place, "it has no signature of Anthropic's"));
    open = undefined;
  };
  for (const [at, detail] of reasoningDetails.entries()) {
    const place = `${path}.reasoning_details[${at}]`;
    if (detail.format !== FORMAT || !thinks) {
      adjustments.push(dropped(place, thinks ? "it is not in Anthropic's form" : "this model does not think"));
      continue;
    }
    if (detail.type === ReasoningDetail_Type.ENCRYPTED && detail.data !== undefined) {
      dropOpen();
      blocks.push({ type: "redacted_thinking", data: detail.data });
      continue;
    }
    // Clients that collect the pieces of a stream may give a thought in several, with its signature on the last.
    if (open !== undefined && open.index !== detail.index) dropOpen();
    const text = (open?.text ?? "") + (detail.text ?? "");
    if (!detail.signature) open = { index: detail.index, text, place };
    else {
      blocks.push({ type: "thinking", thinking: text, signature: detail.signature });
      open = undefined;
    }
  }
  dropOpen();
  if (reasoningContent && blocks.length === 0 && reasoningDetails.length === 0)
    adjustments.push(dropped(`${path}.reasoning_content`, "it has no signature of Anthropic's"));
  return blocks;
}
