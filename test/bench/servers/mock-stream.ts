import type net from "node:net";
import { nowUs, stamp } from "../load/mark.ts";
import type { StreamParts, StreamShape } from "./mock-answers.ts";

/** A stream that is being sent: each event is stamped with its time, and written for itself. */
interface MockStream {
  readonly socket: net.Socket;
  readonly parts: StreamParts;
  left: number;
}

/** Streams without a delay. Each has one event sent in every turn of the event loop. */
const ring = new Set<MockStream>();

/** Sends a stream, unless its connection is closed before. */
export function sendStream(socket: net.Socket, parts: StreamParts, { chunks, delayMs }: StreamShape): void {
  const stream = { socket, parts, left: chunks };
  socket.write(parts.opening, "latin1");
  if (delayMs > 0) {
    if (!sendNext(stream)) return;
    const timer = setInterval(() => {
      if (!sendNext(stream)) clearInterval(timer);
    }, delayMs);
  } else {
    if (ring.size === 0) setImmediate(goRound);
    ring.add(stream);
  }
}

function goRound(): void {
  for (const stream of ring) if (!sendNext(stream)) ring.delete(stream);
  if (ring.size > 0) setImmediate(goRound);
}

/** Sends the next event, or the end behind the last one. Returns whether there is more to send. */
function sendNext(stream: MockStream): boolean {
  const { socket, parts } = stream;
  if (socket.destroyed) return false;
  if (stream.left > 0) {
    stream.left -= 1;
    socket.write(parts.before + stamp(nowUs()) + parts.after, "latin1");
    if (stream.left > 0) return true;
  }
  socket.write(parts.ending, "latin1");
  return false;
}
