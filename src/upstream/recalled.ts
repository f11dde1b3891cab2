import type { JsonObject } from "@bufbuild/protobuf";
import { type Message, type ReasoningDetail, ReasoningDetail_Type } from "../gen/parley/chat/v1/message_pb.ts";

/** What is kept of one message. It is shared by the entries of all its calls, and never changed. */
export interface Recalled {
  readonly reasoningContent: string | undefined;
  readonly reasoningDetails: ReasoningDetail[];
  /** The calls' `extra_content`, by their ids. */
  readonly extraContents: ReadonlyMap<string, JsonObject>;
}

/** What has to be kept of a message; undefined where that is nothing. */
export function recalledOf({ toolCalls, reasoningContent, reasoningDetails }: Message): Recalled | undefined {
  if (toolCalls.length === 0) return undefined;
  const extraContents = new Map<string, JsonObject>();
  for (const { id, extraContent } of toolCalls) if (extraContent !== undefined) extraContents.set(id, extraContent);
  if (reasoningContent === undefined && reasoningDetails.length === 0 && extraContents.size === 0) return undefined;
  return { reasoningContent, reasoningDetails, extraContents };
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
export function sizeOf({ reasoningContent = "", reasoningDetails, extraContents }: Recalled): number {
  let characters = reasoningContent.length;
  for (const { text = "", summary = "", data = "", signature = "", format = "", id = "", extra } of reasoningDetails) {
    characters += text.length + summary.length + data.length + signature.length + format.length + id.length;
    if (extra !== undefined) characters += jsonLength(extra);
  }
  for (const [id, extraContent] of extraContents) characters += id.length + jsonLength(extraContent);
  return 2 * characters + OBJECT * (2 + reasoningDetails.length + extraContents.size);
}

const jsonLength = (json: JsonObject): number => JSON.stringify(json).length;
