import { create, type JsonObject } from "@bufbuild/protobuf";
import {
  AudioSchema,
  type ContentPart,
  type Message,
  MessageSchema,
  Role,
} from "../../gen/parley/chat/v1/message_pb.ts";
import type { ToolCall } from "../../gen/parley/chat/v1/tool_pb.ts";
import { OpenAIQuirks_InstructionRole as InstructionRole } from "../../gen/parley/config/v1/openai_compatible_pb.ts";
import { dropped, droppedKeys, mapped } from "../adjustment.ts";
import { unsupported } from "../parameter-table.ts";
import { orphaned, textPart } from "../turns.ts";
import { encodePart, type PartContext } from "./encode-part.ts";
import { UNKNOWN_KEY } from "./fitting.ts";
import { callAsTool, isResult } from "./legacy-functions.ts";
import { OpenCalls } from "./open-calls.ts";
import { replayReasoning } from "./replay-reasoning.ts";

/** What of an answer is only for whoever reads it, and stays out of requests. */
const ANSWER_ONLY = ["reasoning", "reasoning_content", "reasoning_details"];

/**
 * The messages as the server takes them: what it does not know is left out, ids of tool calls have its form, and each call has its
 * result. Fills `context.adjustments`.
 */
export function encodeMessages(messages: readonly Message[], context: PartContext): Message[] {
  const out: Message[] = [];
  let open: OpenCalls | undefined;
  /** Images of tools, which follow the results in a message of the user. */
  let lifted: ContentPart[] = [];
  const close = (): void => {
    out.push(...(open?.missing(context.adjustments) ?? []));
    open = undefined;
    if (lifted.length > 0) out.push(create(MessageSchema, { role: Role.USER, content: lifted }));
    lifted = [];
  };
  const { legacyFunctions, callIds } = context.traits;
  for (let index = 0; index < messages.length; index++) {
    const given = messages[index] as Message;
    if (isPlain(given)) {
      if (open !== undefined) close();
      const role = encodeRole(given.role, context.traits.instructionRole);
      out.push(role === given.role ? given : { ...given, role });
      continue;
    }
    const path = `messages[${index}]`;
    if (isResult(given, legacyFunctions)) {
      const toolCallId = open?.answer(given);
      if (toolCallId === undefined) context.adjustments.push(orphaned(path));
      else out.push(encodeResult(encodeMessage(given, path, context), toolCallId, path, lifted, context));
      continue;
    }
    close();
    const message = legacyFunctions ? given : callAsTool(given, index, context.adjustments);
    const encoded = encodeMessage(message, path, context);
    if (encoded.toolCalls.length > 0) {
      const isLegacy = given.toolCalls.length === 0;
      open = new OpenCalls(
        encoded.toolCalls,
        callIds,
        (at) => path + (isLegacy ? ".function_call" : `.tool_calls[${at}]`),
      );
      encoded.toolCalls = open.calls;
    }
    out.push(encoded);
  }
  close();
  return out;
}

/** Whether a message is one text of one who only speaks, which every server takes as it is. */
function isPlain(message: Message): boolean {
  const { role, content, name, isError, toolCalls, images, annotations, reasoningDetails } = message;
  if (content.length !== 1 || role === Role.TOOL || role === Role.FUNCTION) return false;
  const { kind, promptCacheBreakpoint, extra } = content[0] as ContentPart;
  return (
    kind.case === "text" &&
    kind.value !== "" &&
    promptCacheBreakpoint === undefined &&
    extra === undefined &&
    name === undefined &&
    isError === undefined &&
    toolCalls.length === 0 &&
    images.length === 0 &&
    annotations.length === 0 &&
    reasoningDetails.length === 0 &&
    message.functionCall === undefined &&
    message.toolCallId === undefined &&
    message.reasoningContent === undefined &&
    message.refusal === undefined &&
    message.audio === undefined &&
    message.extra === undefined
  );
}

/** A message of any role. */
function encodeMessage(message: Message, path: string, context: PartContext): Message {
  const { traits, adjustments } = context;
  const encoded: Message = {
    ...message,
    role: encodeRole(message.role, traits.instructionRole),
    content: message.content.map((part, at) => encodePart(part, `${path}.content[${at}]`, context)),
    annotations: [],
    images: [],
    isError: undefined,
    extra: encodeExtra(message.extra, path, context),
  };
  if (message.isError === true)
    adjustments.push(dropped(`${path}.is_error`, "results of tools have no such mark in this API", true));
  if (message.images.length > 0)
    adjustments.push(dropped(`${path}.images`, "models get no images back that they made themselves"));
  if (message.name !== undefined && !traits.names && message.role !== Role.FUNCTION) {
    adjustments.push(dropped(`${path}.name`, "the server takes no names of participants"));
    encoded.name = undefined;
  }
  encoded.content = withoutEmptyTexts(encoded.content, message.role);
  return message.role === Role.ASSISTANT ? encodeAnswer(encoded, message, path, context) : encoded;
}

/** What only messages of the model have. */
function encodeAnswer(encoded: Message, message: Message, path: string, context: PartContext): Message {
  const { traits, adjustments } = context;
  if (message.audio !== undefined) {
    if (!traits.genuine) throw unsupported(`${path}.audio`, "only OpenAI can refer to audio that a model spoke");
    encoded.audio = create(AudioSchema, { id: message.audio.id });
  }
  if (message.refusal !== undefined && !traits.genuine) {
    encoded.refusal = undefined;
    if (message.refusal !== "") encoded.content = [...encoded.content, textPart(message.refusal)];
  }
  encoded.toolCalls = message.toolCalls.map((call, at) => {
    if (call.kind.case === "custom" && !traits.customTools)
      throw unsupported(`${path}.tool_calls[${at}].custom`, "only OpenAI has tools with free text as input");
    if (traits.genuine) adjustments.push(...droppedKeys(`${path}.tool_calls[${at}]`, call.extra, UNKNOWN_KEY));
    return {
      ...call,
      kind: withArguments(call.kind),
      extraContent: traits.extraContent ? call.extraContent : undefined,
      extra: traits.genuine ? undefined : call.extra,
    };
  });
  if (message.functionCall !== undefined)
    encoded.functionCall = { ...message.functionCall, arguments: objectText(message.functionCall.arguments) };
  const asks = encoded.toolCalls.length > 0 || encoded.functionCall !== undefined;
  if (encoded.content.every(({ kind }) => kind.case === "text" && kind.value === "")) {
    // A turn that only calls tools has no text, and not an empty one; one that says nothing at all has to have some.
    const saysElse = asks || encoded.refusal !== undefined || encoded.audio !== undefined;
    encoded.content = saysElse ? [] : [textPart("")];
  }
  return replayReasoning(encoded, message, path, context);
}

/** A call whose arguments are an object even where nobody wrote any: servers read them as JSON. */
function withArguments(kind: ToolCall["kind"]): ToolCall["kind"] {
  if (kind.case !== "function") return kind;
  return { case: "function", value: { ...kind.value, arguments: objectText(kind.value.arguments) } };
}

const objectText = (json: string): string => (json.trim() === "" ? "{}" : json);

/** The result of a call: its texts stay, and what is none goes to `lifted`. */
function encodeResult(
  message: Message,
  toolCallId: string,
  path: string,
  lifted: ContentPart[],
  { adjustments }: PartContext,
): Message {
  const texts: ContentPart[] = [];
  for (const [at, part] of message.content.entries()) {
    if (part.kind.case === "text") texts.push(part);
    else {
      lifted.push(part);
      const why = "results of tools are text in this API; it follows in a message of the user";
      adjustments.push(mapped(`${path}.content[${at}]`, why, "tool", "user"));
    }
  }
  // Null is no result, but an empty text is.
  const content = texts.length > 0 ? texts : [textPart("")];
  // A name that the legacy form has is that of the function, which the id says.
  const name = message.role === Role.FUNCTION ? undefined : message.name;
  return { ...message, role: Role.TOOL, name, toolCallId, content };
}

/** "developer" is the newer word for "system": one or the other is the same to a model, so that a change is not reported. */
function encodeRole(role: Role, wanted: InstructionRole): Role {
  if (role !== Role.SYSTEM && role !== Role.DEVELOPER) return role;
  if (wanted === InstructionRole.SYSTEM) return Role.SYSTEM;
  return wanted === InstructionRole.DEVELOPER ? Role.DEVELOPER : role;
}

/** Keys of a message that Parley does not know: other servers may know them, OpenAI refuses them. */
function encodeExtra(extra: JsonObject | undefined, path: string, context: PartContext): JsonObject | undefined {
  if (extra === undefined) return undefined;
  const kept = Object.fromEntries(Object.entries(extra).filter(([key]) => !ANSWER_ONLY.includes(key)));
  if (!context.traits.genuine) return Object.keys(kept).length === 0 ? undefined : kept;
  context.adjustments.push(...droppedKeys(path, kept, UNKNOWN_KEY));
  return undefined;
}

/** Empty texts beside other parts say nothing, and some servers refuse them. */
function withoutEmptyTexts(content: ContentPart[], role: Role): ContentPart[] {
  if (content.length < 2) return content;
  const full = content.filter(({ kind }) => kind.case !== "text" || kind.value !== "");
  return full.length > 0 || role === Role.ASSISTANT ? full : content.slice(0, 1);
}
