import { type Message, Role } from "../gen/parley/chat/v1/message_pb.ts";
import type { Adjustment } from "../gen/parley/chat/v1/report_pb.ts";
import type { Tool } from "../gen/parley/chat/v1/tool_pb.ts";
import { dropped, droppedKeys } from "./adjustment.ts";
import { unsupported } from "./parameter-table.ts";

/** A family whose messages have a form of their own. */
export interface Family {
  /** Its name in reports: "Gemini". */
  readonly name: string;
  /** Key of a call's `extra_content` that is the family's own; undefined: it has none. */
  readonly ownContent: string | undefined;
  /** Whether images that a model made go back to it. */
  readonly takesImages: boolean;
}

/** Reports what messages and tools have that a family has no place for. Refuses audio that a model spoke: the conversation would be another. */
export function reportUnsaid(messages: readonly Message[], tools: readonly Tool[], family: Family): Adjustment[] {
  return [
    ...messages.flatMap((message, index) => unsaidIn(message, `messages[${index}]`, family)),
    ...tools.flatMap(({ extra }, index) =>
      droppedKeys(`tools[${index}]`, extra, `${family.name} has no such key in tools`),
    ),
  ];
}

function unsaidIn(message: Message, path: string, { name, ownContent, takesImages }: Family): Adjustment[] {
  const adjustments: Adjustment[] = [];
  // In the legacy form, and in results, it is the name of the function.
  if (message.name !== undefined && !isResult(message))
    adjustments.push(dropped(`${path}.name`, `${name} does not tell participants apart`));
  if (message.audio !== undefined) throw unsupported(`${path}.audio`, `${name} keeps no audio`);
  if (message.images.length > 0 && !takesImages)
    adjustments.push(dropped(`${path}.images`, `${name} takes no images of the model`));
  if (message.annotations.length > 0)
    adjustments.push(dropped(`${path}.annotations`, `${name} takes citations only of its own searches`));
  for (const [at, { extraContent = {}, extra }] of message.toolCalls.entries()) {
    const place = `${path}.tool_calls[${at}]`;
    const own = ownContent === undefined ? [] : [ownContent];
    adjustments.push(...droppedKeys(`${place}.extra_content`, extraContent, "it belongs to another provider", own));
    adjustments.push(...droppedKeys(place, extra, `${name} has no such key in calls`));
  }
  adjustments.push(...droppedKeys(path, message.extra, `${name} has no such key in messages`));
  return adjustments;
}

const isResult = ({ toolCallId, role }: Message): boolean => toolCallId !== undefined || role === Role.FUNCTION;
