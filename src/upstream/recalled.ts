import { isDeepStrictEqual } from "node:util";
import type { JsonObject } from "@bufbuild/protobuf";
import { type Message, type ReasoningDetail, ReasoningDetail_Type } from "../gen/parley/chat/v1/message_pb.ts";
import type { ToolCall } from "../gen/parley/chat/v1/tool_pb.ts";

/** What is kept of one message. It is shared by the entries of all its calls, and never changed. */
export interface Recalled {
  readonly reasoningContent: string | undefined;
  readonly reasoningDetails: ReasoningDetail[];
  /** Its calls, by their ids. */
  readonly calls: ReadonlyMap<string, RecalledCall>;
}

/** What is kept of one call. */
export interface RecalledCall {
  readonly extraContent: JsonObject | undefined;
  /** Name of the tool. */
  readonly name: string;
  /** What the tool is given: arguments, or free input. */
  readonly input: string;
}

/** What has to be kept of a message; undefined where that is nothing. */
export function recalledOf({ toolCalls, reasoningContent, reasoningDetails }: Message): Recalled | undefined {
  if (toolCalls.length === 0) return undefined;
  const hasExtra = toolCalls.some(({ extraContent }) => extraContent !== undefined);
  if (reasoningContent === undefined && reasoningDetails.length === 0 && !hasExtra) return undefined;
  const calls = new Map(toolCalls.map((call) => [call.id, { ...saidBy(call), extraContent: call.extraContent }]));
  return { reasoningContent, reasoningDetails, calls };
}

function saidBy({ kind }: ToolCall): { readonly name: string; readonly input: string } {
  switch (kind.case) {
    case "function":
      return { name: kind.value.name, input: kind.value.arguments };
    case "custom":
      return { name: kind.value.name, input: kind.value.input };
    case undefined:
      return { name: "", input: "" };
    default:
      return kind satisfies never;
  }
}

/**
 * Whether a call is the one that is kept under its id, and not another one's of the same id: some servers begin anew with each answer,
 * and would otherwise hear in one conversation what was thought in another. Clients may have written the arguments in another way.
 */
export function isSameCall(call: ToolCall, kept: RecalledCall | undefined): boolean {
  if (kept === undefined) return false;
  const { name, input } = saidBy(call);
  return name === kept.name && (input === kept.input || isSameJson(input, kept.input));
}

function isSameJson(one: string, other: string): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(one || "{}"), JSON.parse(other || "{}"));
  } catch {
    return false; // No JSON, and not the same text: not the same.
  }
}

/**
 * Whether the reasoning details of a message are pieces of what is kept, and not the whole: each is a part of one that is kept, and
 * something is missing or not joined. Somebody else's are no pieces.
 */
export function isInPieces({ reasoningDetails: given }: Message, { reasoningDetails: kept }: Recalled): boolean {
  if (given.length === 0) return false;
  const isWhole = given.length === kept.length && given.every((detail, at) => isSame(detail, kept[at]));
  return !isWhole && given.every((piece) => kept.some((detail) => isPart(piece, detail)));
}

const TEXTS = ["text", "summary", "data", "signature"] as const;

const isSame = (a: ReasoningDetail, b: ReasoningDetail | undefined): boolean =>
  a.type === b?.type && a.format === b.format && a.id === b.id && TEXTS.every((key) => a[key] === b[key]);

const isPart = (piece: ReasoningDetail, whole: ReasoningDetail): boolean =>
  (piece.type === ReasoningDetail_Type.UNSPECIFIED || piece.type === whole.type) &&
  TEXTS.every((key) => isPieceOf(piece[key], whole[key] ?? ""));

/** Whether a text, or none, is in another one. */
export const isPieceOf = (piece: string | undefined, whole: string): boolean => whole.includes(piece ?? "");

/** What an object costs besides its texts, in bytes: roughly that of V8 for one with ten properties, and its place in a map. */
const OBJECT = 200;

/**
 * How much memory it takes, in bytes; rather too much than too little. Each of a message's calls counts the whole, because any one
 * of them may be the last that holds it.
 */
export function sizeOf({ reasoningContent = "", reasoningDetails, calls }: Recalled): number {
  let characters = reasoningContent.length;
  for (const { text = "", summary = "", data = "", signature = "", format = "", id = "", extra } of reasoningDetails) {
    characters += text.length + summary.length + data.length + signature.length + format.length + id.length;
    if (extra !== undefined) characters += jsonLength(extra);
  }
  for (const [id, { name, input, extraContent }] of calls) {
    characters += id.length + name.length + input.length;
    if (extraContent !== undefined) characters += jsonLength(extraContent);
  }
  return 2 * characters + OBJECT * (2 + reasoningDetails.length + calls.size);
}

const jsonLength = (json: JsonObject): number => JSON.stringify(json).length;
