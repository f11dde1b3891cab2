import type { Socket } from "node:net";
import type { Refusal, Refuser } from "./refuse.ts";

/** The first bytes of every HTTP/2 client (RFC 9113 §3.4). No valid HTTP/1.1 request begins so. */
export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Whether bytes that a client sent first can still become, are, or cannot be the HTTP/2 preface. */
export function matchPreface(head: Buffer): "undecided" | "http2" | "http1" {
  const seen = Math.min(head.length, PREFACE.length);
  if (head.compare(PREFACE, 0, seen, 0, seen) !== 0) return "http1";
  return seen < PREFACE.length ? "undecided" : "http2";
}

/** Where a socket goes once its protocol is known. All of its bytes are still to be read from it. */
export interface SniffTargets {
  readonly http1: (socket: Socket) => void;
  readonly http2: (socket: Socket) => void;
}

/**
 * Makes a listener for new sockets that reads just as much as tells HTTP/2 from HTTP/1.1 and passes each socket on, its bytes put
 * back. A socket that stays undecided for `timeoutMs` is closed; if it did say something, with a 408.
 */
export function createSniffer(targets: SniffTargets, timeoutMs: number, refuse: Refuser): (socket: Socket) => void {
  const late: Refusal = { status: 408, message: `the request's headers did not arrive within ${timeoutMs} ms` };
  return (socket) => {
    let head: Buffer = Buffer.alloc(0);
    const drop = (): void => {
      socket.destroy();
    };
    const expire = (): void => {
      release();
      if (head.length === 0) {
        socket.destroy();
        return;
      }
      refuse.socket(socket, late);
    };
    // The limit is absolute: an idle timer would be wound up again by each of the 24 bytes.
    const deadline = setTimeout(expire, timeoutMs);
    const release = (): void => {
      clearTimeout(deadline);
      socket.off("readable", read).off("end", drop).off("error", drop).off("close", release);
    };
    const read = (): void => {
      const data: Buffer | null = socket.read();
      if (data === null) return;
      head = head.length === 0 ? data : Buffer.concat([head, data]);
      const match = matchPreface(head);
      if (match === "undecided") return;
      release();
      socket.unshift(head);
      targets[match](socket);
    };
    socket.on("readable", read).on("end", drop).on("error", drop).on("close", release);
  };
}
