import { create, type JsonValue } from "@bufbuild/protobuf";
import { type Annotation, AnnotationSchema } from "../../gen/parley/chat/v1/message_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";

/**
 * The annotations of a block's citations: the whole block cites them. Citations of documents have no address, and are left out.
 * `start`, `end`: the block's place in the content, in characters.
 */
export function annotationsOf(citations: readonly JsonValue[], start: number, end: number): Annotation[] {
  return citations.flatMap((citation) => {
    if (!isObject(citation) || typeof citation["url"] !== "string" || citation["url"] === "") return [];
    const title = typeof citation["title"] === "string" ? citation["title"].toWellFormed() : "";
    const value = { startIndex: start, endIndex: end, title, url: citation["url"].toWellFormed() };
    return [create(AnnotationSchema, { kind: { case: "urlCitation", value } })];
  });
}

/** How many characters a text has: a surrogate pair is one. */
export function countCharacters(text: string): number {
  if (!/[\ud800-\udbff]/.test(text)) return text.length;
  let count = text.length;
  for (const _pair of text.matchAll(/[\ud800-\udbff][\udc00-\udfff]/g)) count--;
  return count;
}
