import type { ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import type { EncodedCall, StreamDecoder, StreamEvent } from "../providers/provider.ts";
import { interrupted } from "../providers/upstream-error.ts";
import { chunksOf } from "./chunks-of-completion.ts";

type Decoding = Pick<EncodedCall, "decodeResponse">;

/** Makes a decoder for servers that answer at once where a stream was asked for: the only event is the whole answer. */
export function createCompletionDecoder(provider: string, call: Decoding): StreamDecoder {
  return new CompletionDecoder(provider, call);
}

/** A class: an object with a getter of its own has a shape of its own, which keeps the whole call until the next large collection. */
class CompletionDecoder implements StreamDecoder {
  readonly #provider: string;
  readonly #call: Decoding;
  #isDone = false;

  constructor(provider: string, call: Decoding) {
    this.#provider = provider;
    this.#call = call;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  push({ data }: StreamEvent): readonly ChatCompletionChunk[] {
    const chunks = chunksOf(this.#call.decodeResponse(data));
    this.#isDone = true;
    return chunks;
  }

  finish(): never {
    throw interrupted(this.#provider);
  }
}
