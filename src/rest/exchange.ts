import type { BodySource } from "../lib/unread-body.ts";

/** The part of a request that is used here; those of HTTP/1.1 and HTTP/2 have it in common. */
export interface RestRequest extends BodySource {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersionMajor: number;
  pause(): unknown;
}

/**
 * Headers of an answer: names, in lower case, and values in turn. Node takes such a list as it is, while it copies an object's headers one by
 * one.
 */
export type AnswerHeaders = readonly string[];

/** The part of a response that is used here; those of HTTP/1.1 and HTTP/2 have it in common. */
export interface RestResponse {
  readonly headersSent: boolean;
  writeHead(status: number, headers: string[]): unknown;
  /** False: what was written waits for the reader; `drain` comes when it need not wait any longer. */
  write(text: string): boolean;
  end(): unknown;
  end(text: string): unknown;
  on(event: "close" | "drain", listener: () => void): unknown;
  off(event: "close" | "drain", listener: () => void): unknown;
  /** Whether its body is sent in chunks of the transfer coding (RFC 9112, 7.1). Undefined on HTTP/2, which has none. */
  readonly chunkedEncoding?: boolean;
  /** On HTTP/1.1, what the answer is written to while it is its turn. */
  readonly socket: RestSocket | null;
}

/** The part of a connection that is used here. */
export interface RestSocket {
  readonly writable: boolean;
  write(text: string): boolean;
  on(event: "drain", listener: () => void): unknown;
  off(event: "drain", listener: () => void): unknown;
}
