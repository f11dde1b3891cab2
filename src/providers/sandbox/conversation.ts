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

/** Reads a conversation: what the user says last, and the rest when it is asked for. */
export const readConversation = (messages: readonly Message[]): Conversation => new ReadConversation(messages);

class ReadConversation implements Conversation {
  readonly last: string;
  readonly #messages: readonly Message[];
  /** Where the user's last message stands; -1: nowhere. */
  readonly #lastAt: number;
  #earlier: readonly string[] | undefined;
  #results: readonly ToolResult[] | undefined;

  constructor(messages: readonly Message[]) {
    this.#messages = messages;
    this.#lastAt = messages.findLastIndex(isOfUser);
    const last = messages[this.#lastAt];
    this.last = last === undefined ? "" : textOf(last);
  }

  get earlier(): readonly string[] {
    this.#earlier ??= this.#messages
      .slice(0, Math.max(0, this.#lastAt))
      .filter(isOfUser)
      .slice(-REMEMBERED)
      .map(textOf);
    return this.#earlier;
  }

  get results(): readonly ToolResult[] {
    this.#results ??= readResults(this.#messages, this.#lastAt + 1);
    return this.#results;
  }
}

const isOfUser = ({ role }: Message): boolean => role === Role.USER;

function readResults(messages: readonly Message[], since: number): ToolResult[] {
  if (since === messages.length) return [];
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
export function textOf({ content }: Message): string {
  const [first] = content;
  return content.length === 1 && first !== undefined ? textOfPart(first) : content.map(textOfPart).join("\n");
}

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
