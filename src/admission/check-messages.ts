import { GatewayError } from "../errors/gateway-error.ts";
import { type ContentPart, type Message, Role } from "../gen/parley/chat/v1/message_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";

type PartKind = NonNullable<ContentPart["kind"]["case"]>;

/** What the messages of each role may contain (OpenAI's message types; images and files of tools are an extension). */
const ALLOWED_PARTS: Readonly<Record<Role, readonly PartKind[]>> = {
  [Role.UNSPECIFIED]: [],
  [Role.USER]: ["text", "imageUrl", "inputAudio", "videoUrl", "file"],
  [Role.SYSTEM]: ["text"],
  [Role.DEVELOPER]: ["text"],
  [Role.ASSISTANT]: ["text", "refusal"],
  [Role.TOOL]: ["text", "imageUrl", "file"],
  [Role.FUNCTION]: ["text"],
};

/** Names of the roles, as callers write them. */
const ROLE_WORDS: Readonly<Record<Role, string>> = {
  [Role.UNSPECIFIED]: "",
  [Role.USER]: "user",
  [Role.SYSTEM]: "system",
  [Role.DEVELOPER]: "developer",
  [Role.ASSISTANT]: "assistant",
  [Role.TOOL]: "tool",
  [Role.FUNCTION]: "function",
};

/**
 * Checks what the contract's rules cannot say in linear time: that each message has what its role needs, and that every tool
 * message answers a call of the assistant message before it. Fails with MISSING_PARAMETER or INVALID_VALUE, naming the message.
 */
export function checkMessages(messages: readonly Message[]): void {
  let calls = new Set<string>();
  for (const [index, message] of messages.entries()) {
    checkContent(message, index);
    if (message.role === Role.TOOL) checkAnswersCall(message, index, calls);
    else calls = new Set(message.toolCalls.map(({ id }) => id));
  }
}

function checkContent(message: Message, index: number): void {
  const path = `messages[${index}]`;
  const allowed = ALLOWED_PARTS[message.role];
  for (const [at, { kind }] of message.content.entries()) {
    if (kind.case !== undefined && !allowed.includes(kind.case)) {
      throw invalid(
        `${path}.content[${at}]`,
        `cannot stand in a message of role ${ROLE_WORDS[message.role]}, whose parts are ${allowed.map(partWord).join(", ")}`,
      );
    }
  }
  switch (message.role) {
    case Role.ASSISTANT:
      if (!saysSomething(message))
        throw missing(`${path}.content`, "unless the message has tool_calls or function_call");
      break;
    case Role.FUNCTION:
      if (!message.name) throw missing(`${path}.name`, "in a message of role function");
      break;
    default:
      if (message.content.length === 0)
        throw missing(`${path}.content`, `in a message of role ${ROLE_WORDS[message.role]}`);
  }
}

function saysSomething(message: Message): boolean {
  return (
    message.content.length > 0 ||
    message.toolCalls.length > 0 ||
    message.functionCall !== undefined ||
    message.refusal !== undefined ||
    message.audio !== undefined
  );
}

function checkAnswersCall(message: Message, index: number, calls: ReadonlySet<string>): void {
  const path = `messages[${index}].tool_call_id`;
  if (message.toolCallId === undefined) throw missing(path, "in a message of role tool");
  if (!calls.has(message.toolCallId)) {
    throw invalid(path, "must be the id of one of the tool_calls of the assistant message before it");
  }
}

/** "imageUrl" is "image_url" to callers. */
const partWord = (kind: PartKind): string => kind.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const invalid = (path: string, what: string): GatewayError =>
  new GatewayError(Reason.INVALID_VALUE, `${path} ${what}`, {
    param: path,
    violations: [{ path: `params.${path}`, description: `${path} ${what}`, rule: "messages.order" }],
  });

const missing = (path: string, when: string): GatewayError =>
  new GatewayError(Reason.MISSING_PARAMETER, `${path} is required ${when}`, {
    param: path,
    violations: [{ path: `params.${path}`, description: `${path} is required ${when}`, rule: "required" }],
  });
