import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { clientGone } from "../../errors/client-gone.ts";
import { lingerForRest } from "../unread-body.ts";
import { BinaryOutput } from "./binary-output.ts";
import { COMPRESS_MIN_BYTES, compressEnvelopes } from "./compress-envelopes.ts";
import type { GrpcMethod } from "./method.ts";
import { OK, trailersOf } from "./trailers.ts";

/** All answers are written here: what is written is taken before anything else runs. */
const OUTPUT = new BinaryOutput();

const WITH_TRAILERS = { waitForTrailers: true };

/** The answer of one call: its head, its messages, and in its trailers how the call ended. */
export class Answer {
  /** Headers, until they are sent with the first message. */
  readonly head: OutgoingHttpHeaders;
  readonly #stream: ServerHttp2Stream;
  readonly #method: GrpcMethod;
  #compression: Compression | null = null;
  #isOpen = true;

  constructor(stream: ServerHttp2Stream, method: GrpcMethod, head: OutgoingHttpHeaders) {
    this.#stream = stream;
    this.#method = method;
    this.head = { ":status": 200, "content-type": method.contentType, ...head };
  }

  /** Whether it goes on. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** From now on large messages are compressed. Null: they are not. */
  compress(compression: Compression | null): void {
    this.#compression = compression;
    if (compression !== null) this.head["grpc-encoding"] = compression.name;
  }

  /** Sends messages, in one write, and waits for the reader where too much waits for it already. Rejects when the client is gone. */
  async send(messages: readonly Message[]): Promise<void> {
    const encoded = this.#encode(messages);
    const bytes = encoded instanceof Promise ? await encoded : encoded;
    if (this.#stream.closed) throw clientGone();
    this.#begin();
    if (!this.#stream.write(bytes)) await this.#drained();
  }

  /** Ends the answer of a call that went well. */
  end(): void {
    this.#end(OK);
  }

  /** Ends the answer of a call that failed, whether the request was read or not. */
  fail(error: ConnectError): void {
    this.#end(trailersOf(error));
    if (this.#stream.closed || this.#stream.readableEnded) return;
    this.#stream.once("finish", () => {
      this.#stream.resume();
      lingerForRest(this.#stream);
    });
  }

  #encode(messages: readonly Message[]): Uint8Array | Promise<Uint8Array> {
    const compression = this.#compression;
    let largest = 0;
    OUTPUT.clear();
    for (const message of messages) {
      const begun = OUTPUT.beginEnvelope();
      this.#method.write(OUTPUT, message);
      OUTPUT.endEnvelope(begun);
      largest = Math.max(largest, OUTPUT.size - begun);
    }
    const bytes = OUTPUT.take();
    return compression === null || largest < COMPRESS_MIN_BYTES ? bytes : compressEnvelopes(bytes, compression);
  }

  #begin(): void {
    if (!this.#stream.headersSent) this.#stream.respond(this.head, WITH_TRAILERS);
  }

  #end(trailers: OutgoingHttpHeaders): void {
    this.#isOpen = false;
    if (this.#stream.closed) return;
    this.#begin();
    this.#stream.on("wantTrailers", () => this.#stream.sendTrailers(trailers));
    this.#stream.end();
  }

  #drained(): Promise<void> {
    const stream = this.#stream;
    return new Promise((resolve) => {
      function done(): void {
        stream.off("drain", done).off("close", done);
        resolve();
      }
      stream.on("drain", done).on("close", done);
    });
  }
}
