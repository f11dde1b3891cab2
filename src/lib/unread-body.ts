import type { IncomingHttpHeaders } from "node:http";

/** The part of a request that brings its body; those of HTTP/1.1 and HTTP/2 have it in common. */
export interface BodySource {
  readonly headers: IncomingHttpHeaders;
  /** Whether all of it arrived. On HTTP/1.1 it is false at first even where there is no body. */
  readonly complete: boolean;
  /** Whether the client broke off while it was sending. */
  readonly aborted: boolean;
  /** On HTTP/2 only. */
  readonly stream?: { readonly endAfterHeaders: boolean };
  /** On HTTP/2 it stands for the stream of this request alone, and ends with it. */
  readonly socket: { destroy(): unknown } | undefined;
  resume(): unknown;
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  on(event: "end" | "close" | "error", listener: () => void): unknown;
  off(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  off(event: "end" | "close" | "error", listener: () => void): unknown;
}

/** How much of a body that nobody wants is taken off the wire. */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;
const MAX_DISCARD_MS = 30_000;

/** Whether the body of a request is still, or may still be, on its way. */
export function hasUnreadBody(request: BodySource): boolean {
  if (request.complete || request.aborted) return false;
  if (request.stream !== undefined) return !request.stream.endAfterHeaders;
  return request.headers["transfer-encoding"] !== undefined || announcedLength(request) > 0;
}

/**
 * Takes the rest of a body off the wire and drops it, so that a client that writes before it reads comes to read the
 * answer. After 64 MiB or 30 s the connection, or the stream of an HTTP/2 one, is closed all the same. Calls `done`
 * once, at the end of either.
 */
export function discardBody(request: BodySource, done?: () => void): void {
  let size = 0;
  const settle = (): void => {
    clearTimeout(timer);
    request.off("data", take);
    request.off("end", settle);
    request.off("close", settle);
    done?.();
  };
  const giveUp = (): void => {
    settle();
    request.socket?.destroy();
  };
  const take = (chunk: Uint8Array): void => {
    size += chunk.length;
    if (size > MAX_DISCARDED_BYTES) giveUp();
  };
  const timer = setTimeout(giveUp, MAX_DISCARD_MS);
  request.on("data", take);
  request.on("end", settle);
  request.on("close", settle);
  request.resume();
}

/** 0 where the length is not announced. Node refuses lengths that are no number. */
export function announcedLength(request: BodySource): number {
  return Number(request.headers["content-length"] ?? 0);
}
