import { type ContentPart, type Message, Role } from "../../gen/parley/chat/v1/message_pb.ts";

/** What the sandbox reads of a conversation. */
export interface Conversation {
  /** Texts of the user's messages, oldest first, the last one left out. */
  readonly earlier: readonly string[];
  /** Text of the user's last message; "" when there is none. */
  readonly last: string;
  /** Results of tools since the user's last message, oldest first. */
  readonly results: readonly ToolResult[];
}

/** What a tool answered. */
export interface ToolResult {
  /** Name of the tool. */
  readonly name: string;
  readonly text: string;
}

/** Most of a conversation's user texts that are read. */
const REMEMBERED = 50;

/** Reads a conversation. */
export function readConversation(messages: readonly Message[]): Conversation {
  const users = messages.filter(({ role }) => role === Role.USER);
  const since = messages.findLastIndex(({ role }) => role === Role.USER) + 1;
  const texts = users.slice(-REMEMBERED - 1).map(textOf);
  return { earlier: texts.slice(0, -1), last: texts.at(-1) ?? "", results: readResults(messages, since) };
}

function readResults(messages: readonly Message[], since: number): ToolResult[] {
  const names = new Map(
    messages.flatMap(({ toolCalls }) => toolCalls.map(({ id, kind }) => [id, kind.value?.name ?? "tool"] as const)),
  );
  return messages.slice(since).flatMap((message) => {
    switch (message.role) {
      case Role.TOOL:
        return names.has(message.toolCallId ?? "")
          ? [{ name: names.get(message.toolCallId ?? "") as string, text: textOf(message) }]
          : [];
      case Role.FUNCTION:
        return [{ name: message.name ?? "function", text: textOf(message) }];
      default:
        return [];
    }
  });
}

/** The text of a message, its parts joined by line breaks; what is no text is named in brackets: "[image]". */
export const textOf = ({ content }: Message): string => content.map(textOfPart).join("\n");

function textOfPart({ kind }: ContentPart): string {
  switch (kind.case) {
    case "text":
    case "refusal":
      return kind.value;
    case "imageUrl":
      return "[image]";
    case "inputAudio":
      return "[audio]";
    case "videoUrl":
      return "[video]";
    case "file":
      return kind.value.filename === undefined ? "[file]" : `[file ${kind.value.filename}]`;
    case undefined:
      return "";
  }
}
