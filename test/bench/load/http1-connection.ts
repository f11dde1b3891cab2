import { once } from "node:events";
import net from "node:net";
import { AnswerEnd } from "./answer-end.ts";
import type { Call } from "./load.ts";

/** Every read of every connection goes there. */
const READ_INTO = Buffer.allocUnsafe(256 * 1024);

/** How much of an answer that is not OK is shown. */
const SHOWN = 600;

/** One connection on HTTP/1.1 that is kept alive, with one call at a time. */
export interface Connection {
  /** Makes a call. `onData` is told the bytes of the answer as they come, which are overwritten later. Rejects when it is not OK. */
  call(request: Uint8Array, onData: (data: Buffer) => void): Promise<void>;
  close(): void;
}

/** The bytes of a call's request. */
export function encodeRequest({ port, path, headers, body }: Call): Uint8Array {
  const lines = Object.entries({ host: `127.0.0.1:${port}`, ...headers, "content-length": String(body.length) });
  const head = `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** A call that waits for its answer. */
interface Waiting {
  readonly end: AnswerEnd;
  readonly onData: (data: Buffer) => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Connects, from a loopback address of one's own where there is one. It reads into one buffer, so that it costs less than a server. */
export async function openConnection(port: number, localAddress?: string): Promise<Connection> {
  let waiting: Waiting | undefined;
  const fail = (error: Error): void => {
    waiting?.reject(error);
    waiting = undefined;
  };
  const take = (size: number, into: Uint8Array): boolean => {
    if (waiting === undefined) return true;
    const { end, onData, resolve } = waiting;
    const data = (into as Buffer).subarray(0, size);
    onData(data);
    const isOver = end.push(data);
    if (end.statusLine !== "" && !end.statusLine.startsWith("HTTP/1.1 200")) {
      fail(new Error(`the server answered ${data.toString("utf8", 0, SHOWN)}`));
    } else if (isOver) {
      waiting = undefined;
      resolve();
    }
    return true;
  };
  const socket = net.connect({
    port,
    host: "127.0.0.1",
    noDelay: true,
    ...(localAddress === undefined ? {} : { localAddress }),
    onread: { buffer: READ_INTO, callback: take },
  });
  await once(socket, "connect");
  socket.on("error", fail).on("close", () => fail(new Error("the server closed a connection")));
  return {
    call: (request, onData) =>
      new Promise((resolve, reject) => {
        waiting = { end: new AnswerEnd(), onData, resolve, reject };
        socket.write(request);
      }),
    close: () => socket.destroy(),
  };
}
