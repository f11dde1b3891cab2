import type { JsonObject } from "@bufbuild/protobuf";
import { type ContentPart, type Message, type ReasoningDetail, Role } from "../gen/parley/chat/v1/message_pb.ts";
import type { ChatCompletionParams } from "../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../gen/parley/chat/v1/report_pb.ts";
import { dropped, mapped } from "./adjustment.ts";
import { legacyCallId } from "./legacy-form.ts";
import { WaitingCalls } from "./waiting-calls.ts";

/**
 * A conversation as providers with turns see it: legacy forms, empty texts and calls without results are gone, and what belongs to
 * one place stands in one place. Everything remembers where in the request it came from.
 */
export interface Conversation {
  readonly turns: readonly Turn[];
  /** What was mended, as adjustments: strict calls are refused by them. */
  readonly adjustments: readonly Adjustment[];
}

/** One message of a conversation, or a run of results. */
export type Turn =
  | {
      readonly kind: "system";
      readonly index: number;
      readonly name: string | undefined;
      readonly parts: readonly Part[];
    }
  | {
      readonly kind: "user";
      readonly index: number;
      readonly name: string | undefined;
      readonly parts: readonly Part[];
    }
  | AssistantTurn
  /** All results of the calls of the assistant turn before, in the order of the calls. */
  | { readonly kind: "results"; readonly results: readonly Result[] };

/** What the model said. */
export interface AssistantTurn {
  readonly kind: "assistant";
  readonly index: number;
  readonly name: string | undefined;
  /** Texts and refusals. */
  readonly parts: readonly Part[];
  readonly calls: readonly Call[];
  /** What it thought, as plain text. */
  readonly reasoningContent: string | undefined;
  readonly reasoningDetails: readonly ReasoningDetail[];
  readonly message: Message;
}

/** A part of a message, and the path of the part in the request. */
export interface Part {
  readonly path: string;
  readonly part: ContentPart;
}

/** A call that the model wanted made. */
export interface Call {
  /** As the request has it; made up for the legacy form. */
  readonly id: string;
  readonly kind: "function" | "custom";
  readonly name: string;
  /** Arguments as JSON text, or the input of a custom tool. */
  readonly input: string;
  /** Path of the call: "messages[1].tool_calls[0]". */
  readonly place: string;
  /** Path of the arguments: "messages[1].tool_calls[0].function.arguments". */
  readonly path: string;
  readonly extraContent: JsonObject | undefined;
}

/** The result of a call. */
export interface Result {
  /** The call that it answers. */
  readonly call: Call;
  readonly parts: readonly Part[];
  /** Undefined: it is not said. */
  readonly isError: boolean | undefined;
}

/** What stands in for the result of a call that has none. */
export const NO_RESULT = "no result provided";

/** Reports that a call gets such a result. `path`: the call's. */
export const unanswered = (path: string): Adjustment =>
  mapped(path, "no message has its result, and providers want one", "unanswered", NO_RESULT);

/** Reports that a result is left out. `path`: the message's. */
export const orphaned = (path: string): Adjustment => dropped(path, "it answers no call of the message before");

/** Reports that the call of a message in the legacy form is left out, since there are others. `path`: the message's. */
export const doublyCalled = (path: string): Adjustment =>
  dropped(`${path}.function_call`, "the message has tool_calls, and they win");

/**
 * Reads the messages of a request. Empty texts are left out, since they say nothing; a call that nobody answered gets a result that
 * says so, and a result that answers nothing is left out, and both are reported.
 */
export function readConversation({ messages }: ChatCompletionParams): Conversation {
  const adjustments: Adjustment[] = [];
  const turns: Turn[] = [];
  let open: Open | undefined;
  const close = (): void => {
    if (open !== undefined) turns.push(closeResults(open, adjustments));
    open = undefined;
  };
  for (const [index, message] of messages.entries()) {
    const path = `messages[${index}]`;
    const { name, role } = message;
    if (role === Role.TOOL || role === Role.FUNCTION) {
      const at = open?.waiting.answer(message);
      const call = at === undefined ? undefined : open?.calls[at];
      if (call === undefined || open === undefined) adjustments.push(orphaned(path));
      else open.results.set(call, { call, parts: partsOf(message, path), isError: message.isError });
      continue;
    }
    close();
    if (role === Role.ASSISTANT) {
      const turn = assistantTurn(message, index);
      turns.push(turn);
      if (message.functionCall !== undefined && message.toolCalls.length > 0) adjustments.push(doublyCalled(path));
      if (turn.calls.length > 0)
        open = { calls: turn.calls, path, waiting: new WaitingCalls(turn.calls), results: new Map() };
      continue;
    }
    turns.push({ kind: role === Role.USER ? "user" : "system", index, name, parts: partsOf(message, path) });
  }
  close();
  return { turns, adjustments };
}

/** What would be mended in the messages of a request, for who needs nothing else of them. Where none has to do with calls, nothing would. */
export const mended = (params: ChatCompletionParams): readonly Adjustment[] =>
  params.messages.some(isOfCalls) ? readConversation(params).adjustments : [];

const isOfCalls = ({ role, toolCalls, functionCall }: Message): boolean =>
  role === Role.TOOL || role === Role.FUNCTION || toolCalls.length > 0 || functionCall !== undefined;

/** Calls whose results are being read. */
interface Open {
  readonly calls: readonly Call[];
  /** Path of their message. */
  readonly path: string;
  readonly waiting: WaitingCalls;
  readonly results: Map<Call, Result>;
}

function closeResults({ calls, results, path }: Open, adjustments: Adjustment[]): Turn {
  return {
    kind: "results",
    results: calls.map((call) => {
      const found = results.get(call);
      if (found !== undefined) return found;
      adjustments.push(unanswered(call.place));
      return { call, parts: [{ path, part: textPart(NO_RESULT) }], isError: true };
    }),
  };
}

function assistantTurn(message: Message, index: number): AssistantTurn {
  const path = `messages[${index}]`;
  const calls: Call[] = message.toolCalls.flatMap(({ id, kind, extraContent }, at): Call[] => {
    const place = `${path}.tool_calls[${at}]`;
    const common = { id, extraContent, place };
    switch (kind.case) {
      case "function": {
        const { name, arguments: input } = kind.value;
        return [{ ...common, kind: "function", name, input, path: `${place}.function.arguments` }];
      }
      case "custom": {
        const { name, input } = kind.value;
        return [{ ...common, kind: "custom", name, input, path: `${place}.custom.input` }];
      }
      default:
        return [];
    }
  });
  const legacy = message.functionCall;
  if (legacy !== undefined && calls.length === 0) {
    calls.push({
      id: legacyCallId(index),
      kind: "function",
      name: legacy.name,
      input: legacy.arguments,
      place: `${path}.function_call`,
      path: `${path}.function_call.arguments`,
      extraContent: undefined,
    });
  }
  const refusal = message.refusal ? [{ path: `${path}.refusal`, part: textPart(message.refusal) }] : [];
  return {
    kind: "assistant",
    index,
    name: message.name,
    parts: [...partsOf(message, path), ...refusal],
    calls,
    reasoningContent: message.reasoningContent,
    reasoningDetails: message.reasoningDetails,
    message,
  };
}

/** The parts that say something; a refusal is a text. */
function partsOf({ content }: Message, path: string): Part[] {
  return content.flatMap((part, at): Part[] => {
    const { kind } = part;
    const place = `${path}.content[${at}]`;
    if (kind.case === "text") return kind.value === "" ? [] : [{ path: place, part }];
    if (kind.case === "refusal")
      return kind.value === "" ? [] : [{ path: place, part: { ...part, kind: { case: "text", value: kind.value } } }];
    return [{ path: place, part }];
  });
}

/** A part that is a text. */
export const textPart = (value: string): ContentPart => ({
  $typeName: "parley.chat.v1.ContentPart",
  kind: { case: "text", value },
});
