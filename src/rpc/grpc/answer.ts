import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import type { Standing } from "../../admission/limits/limiter.ts";
import { addStandingHeaders } from "../../admission/limits/standing-headers.ts";
import { clientGone } from "../../errors/client-gone.ts";
import { lingerForRest } from "../unread-body.ts";
import { BinaryOutput } from "./binary-output.ts";
import { COMPRESS_MIN_BYTES, compressEnvelopes } from "./compress-envelopes.ts";
import { hearRoom } from "./hear-stream.ts";
import type { GrpcMethod } from "./method.ts";
import { OK, trailersOf } from "./trailers.ts";

/** All answers are written here: what is written is taken before anything else runs. */
const OUTPUT = new BinaryOutput();

const WITH_TRAILERS = { waitForTrailers: true };

/** The answer of one call: its head, its messages, and in its trailers how the call ended. */
export class Answer {
  readonly #stream: ServerHttp2Stream;
  readonly #method: GrpcMethod;
  /** Headers besides those of gRPC: names and values in turns. */
  readonly #head: readonly string[];
  /** Large messages are compressed by it. Null: they are not. */
  compression: Compression | null = null;
  /** How it stands with the caller's limits, where that is told. */
  standing: Standing | undefined;
  #hasBegun = false;
  #trailers: OutgoingHttpHeaders | undefined;
  /** Goes on with what waits for room. */
  #goOn: (() => void) | undefined;

  constructor(stream: ServerHttp2Stream, method: GrpcMethod, head: readonly string[]) {
    this.#stream = stream;
    this.#method = method;
    this.#head = head;
  }

  /** Whether its head was sent. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Whether it goes on. */
  get isOpen(): boolean {
    return this.#trailers === undefined;
  }

  /** Sends messages, in one write. A promise: the reader is behind, or they are being compressed. Fails when the client is gone. */
  send(messages: readonly Message[]): Promise<void> | undefined {
    const encoded = this.#encode(messages);
    return encoded instanceof Promise ? encoded.then((bytes) => this.#write(bytes)) : this.#write(encoded);
  }

  /** Sends the only message of a call, and the end of the answer with it. A promise: it is being compressed. */
  sendLast(message: Message): Promise<void> | undefined {
    const encoded = this.#encode([message]);
    if (encoded instanceof Promise) return encoded.then((bytes) => this.#writeLast(bytes));
    this.#writeLast(encoded);
    return undefined;
  }

  /** Ends the answer of a call that went well. */
  end(): void {
    this.#end(OK);
  }

  /** Ends the answer of a call that failed, whether the request was read or not. */
  fail(error: ConnectError): void {
    this.#end(trailersOf(error));
    if (!this.#stream.closed && !this.#stream.readableEnded) this.#stream.once("finish", dropRest);
  }

  /** The messages are out. */
  sendTrailers(): void {
    if (this.#trailers !== undefined) this.#stream.sendTrailers(this.#trailers);
  }

  /** There is room for more, or nobody any more who reads. */
  goOn(): void {
    this.#goOn?.();
    this.#goOn = undefined;
  }

  #encode(messages: readonly Message[]): Uint8Array | Promise<Uint8Array> {
    const { compression } = this;
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

  #write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#stream.closed) throw clientGone();
    this.#begin();
    return this.#stream.write(bytes) ? undefined : this.#room();
  }

  #writeLast(bytes: Uint8Array): void {
    if (this.#stream.closed) throw clientGone();
    this.#begin();
    this.#trailers = OK;
    this.#stream.end(bytes);
  }

  #begin(): void {
    if (this.#stream.headersSent) return;
    const headers = [":status", "200", "content-type", this.#method.contentType, ...this.#head];
    if (this.compression !== null) headers.push("grpc-encoding", this.compression.name);
    if (this.standing !== undefined) addStandingHeaders(headers, this.standing);
    this.#stream.respond(headers, WITH_TRAILERS);
    this.#hasBegun = true;
  }

  #end(trailers: OutgoingHttpHeaders): void {
    this.#trailers = trailers;
    if (this.#stream.closed) return;
    this.#begin();
    this.#stream.end();
  }

  #room(): Promise<void> {
    hearRoom(this.#stream);
    return new Promise((resolve) => {
      this.#goOn = resolve;
    });
  }
}

function dropRest(this: ServerHttp2Stream): void {
  this.resume();
  lingerForRest(this);
}
