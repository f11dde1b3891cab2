import { create, type DescMessage, type Message } from "@bufbuild/protobuf";
import { BLANKS } from "../gen/parley/chat/v1/blanks.ts";

/**
 * A function that makes messages in which nothing is set. Those of the chat have all their properties from the start: `create` adds
 * them one by one, and what it makes has a shape of its own for each set of fields that somebody sets later.
 */
export function blankOf(desc: DescMessage): () => Message {
  return BLANKS.get(desc.typeName) ?? (() => create(desc));
}
