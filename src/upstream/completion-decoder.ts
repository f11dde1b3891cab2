import type { EncodedCall, StreamDecoder } from "../providers/provider.ts";
import { interrupted } from "../providers/upstream-error.ts";
import { chunksOf } from "./chunks-of-completion.ts";

/** Makes a decoder for servers that answer at once where a stream was asked for: the only event is the whole answer. */
export function createCompletionDecoder(
  provider: string,
  { decodeResponse }: Pick<EncodedCall, "decodeResponse">,
): StreamDecoder {
  let isDone = false;
  return {
    get isDone() {
      return isDone;
    },
    push({ data }) {
      const chunks = chunksOf(decodeResponse(data));
      isDone = true;
      return chunks;
    },
    finish() {
      throw interrupted(provider);
    },
  };
}
