import { once } from "node:events";
import net from "node:net";
import type { Load, LoadClient } from "./load.ts";

const HEAD_END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = Buffer.from("\r\n0\r\n\r\n");

/**
 * Opens an HTTP/1.1 client of connections that are kept alive, with one call at a time on each. It looks for the ends of answers
 * and for nothing else, so that it costs less than the servers that it loads.
 */
export async function openHttp1(load: Load): Promise<LoadClient> {
  const request = encodeRequest(load);
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => connect(load.port)));
  return {
    run: async (isOver, onAnswer) => {
      await Promise.all(sockets.map((socket) => runOne(socket, request, isOver, onAnswer)));
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function connect(port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  return socket;
}

function encodeRequest({ port, path, headers, body }: Load): Uint8Array {
  const lines = Object.entries({ host: `127.0.0.1:${port}`, ...headers, "content-length": String(body.length) });
  const head = `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

function runOne(
  socket: net.Socket,
  request: Uint8Array,
  isOver: () => boolean,
  onAnswer: (bytes: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let answer = new Answer();
    const settle = (error?: Error): void => {
      socket.off("data", take).off("error", settle).off("close", lost);
      if (error === undefined) resolve();
      else reject(error);
    };
    const lost = (): void => settle(new Error("the server closed a connection"));
    const take = (data: Buffer): void => {
      if (!answer.push(data)) return;
      onAnswer(answer.size);
      if (!answer.isOk) settle(new Error(`the server answered ${answer.statusLine}`));
      else if (isOver()) settle();
      else {
        answer = new Answer();
        socket.write(request);
      }
    };
    socket.on("data", take).on("error", settle).on("close", lost);
    socket.write(request);
  });
}

/** An answer that arrives in pieces. */
class Answer {
  size = 0;
  #head: Buffer = Buffer.alloc(0);
  /** Size that the answer will have; undefined: the head is not complete. NaN: it ends with the last chunk. */
  #whole: number | undefined;
  #tail: Buffer = Buffer.alloc(0);

  /** Takes the next bytes. Returns true when the answer is complete. */
  push(data: Buffer): boolean {
    this.size += data.length;
    if (this.#whole === undefined) this.#readHead(data);
    if (this.#whole === undefined) return false;
    if (!Number.isNaN(this.#whole)) return this.size >= this.#whole;
    this.#tail = data.length >= LAST_CHUNK.length ? data : Buffer.concat([this.#tail, data]);
    this.#tail = this.#tail.subarray(-LAST_CHUNK.length);
    return this.#tail.equals(LAST_CHUNK);
  }

  get statusLine(): string {
    return this.#head.subarray(0, this.#head.indexOf("\r\n")).toString("latin1");
  }

  get isOk(): boolean {
    return this.statusLine.startsWith("HTTP/1.1 200");
  }

  #readHead(data: Buffer): void {
    this.#head = this.#head.length === 0 ? data : Buffer.concat([this.#head, data]);
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return;
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#head.toString("latin1", 0, end))?.[1];
    this.#whole = length === undefined ? Number.NaN : end + HEAD_END.length + Number(length);
  }
}
