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
 * Checks what the contract's rules cannot say in linear time: that each message has what its role needs, and, in a strict call, that
 * calls and results of tools pair up. Where a call is not strict, providers mend that and report it. Fails with MISSING_PARAMETER or
 * INVALID_VALUE, naming the message.
 */
export function checkMessages(messages: readonly Message[], strict: boolean): void {
  // By numbers, because an iterator makes something for each message; and what an error says is made when there is one.
  for (let index = 0; index < messages.length; index++) checkMessage(messages[index] as Message, index);
  if (strict) checkPairs(messages);
}

/** Every tool message must answer a call of the assistant message before it, and every call must be answered before anything else is said. */
function checkPairs(messages: readonly Message[]): void {
  let open: { readonly index: number; readonly ids: Set<string | undefined> } | undefined;
  for (const [index, { role, toolCalls, toolCallId }] of messages.entries()) {
    if (role === Role.TOOL) {
      if (open?.ids.delete(toolCallId) === true) continue;
      throw invalid(
        `messages[${index}].tool_call_id`,
        "must be the id of one of the tool_calls of the assistant message before it that is not answered yet",
      );
    }
    checkAnswered(open);
    open = { index, ids: new Set(toolCalls.map(({ id }) => id)) };
  }
  checkAnswered(open);
}

function checkAnswered(open: { readonly index: number; readonly ids: ReadonlySet<unknown> } | undefined): void {
  if (open === undefined || open.ids.size === 0) return;
  throw invalid(
    `messages[${open.index}].tool_calls`,
    "must all be answered by tool messages before anything else is said",
  );
}

function checkMessage(message: Message, index: number): void {
  checkParts(message, index);
  switch (message.role) {
    case Role.ASSISTANT:
      if (!saysSomething(message))
        throw missing(`messages[${index}].content`, "unless the message has tool_calls or function_call");
      break;
    case Role.FUNCTION:
      if (!message.name) throw missing(`messages[${index}].name`, "in a message of role function");
      break;
    default:
      if (message.content.length === 0)
        throw missing(`messages[${index}].content`, `in a message of role ${ROLE_WORDS[message.role]}`);
  }
  if (message.role === Role.TOOL && message.toolCallId === undefined)
    throw missing(`messages[${index}].tool_call_id`, "in a message of role tool");
}

function checkParts({ role, content }: Message, index: number): void {
  const allowed = ALLOWED_PARTS[role];
  for (let at = 0; at < content.length; at++) {
    const kind = content[at]?.kind.case;
    if (kind === undefined || allowed.includes(kind)) continue;
    throw invalid(
      `messages[${index}].content[${at}]`,
      `cannot stand in a message of role ${ROLE_WORDS[role]}, whose parts are ${allowed.map(partWord).join(", ")}`,
    );
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
