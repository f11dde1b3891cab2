/**
 * The upstream of the servers that are measured. It answers with fixed bytes: 1 kB of JSON, or the stream that the request's first
 * message asks for, in the form of the path's family. It reads of a request what it needs for that, and no more.
 */
import { once } from "node:events";
import net from "node:net";
import { COMPLETION, familyOf, MODELS, partsOf, shapeOf } from "./mock-answers.ts";
import { sendStream } from "./mock-stream.ts";
import { answerAsServer } from "./server-side.ts";

/** How much of a body is read. */
const READ_BYTES = 16_384;
const HEAD_END = Buffer.from("\r\n\r\n");
const NOTHING = Buffer.alloc(0);

const PARTS = { openai: partsOf("openai"), anthropic: partsOf("anthropic"), google: partsOf("google") };

/** One connection, whose requests are answered one after the other. */
class Exchange {
  readonly #socket: net.Socket;
  /** What came of the head, or of the part of the body that is read. */
  #seen: Buffer = NOTHING;
  /** Request line; "": the head is not complete. */
  #requestLine = "";
  /** Bytes of the body that are to come. */
  #left = 0;

  constructor(socket: net.Socket) {
    this.#socket = socket;
  }

  readonly take = (data: Buffer): void => {
    if (this.#requestLine !== "") {
      this.#takeBody(data);
      return;
    }
    this.#seen = this.#seen.length === 0 ? data : Buffer.concat([this.#seen, data]);
    const end = this.#seen.indexOf(HEAD_END);
    if (end < 0) return;
    const head = this.#seen.toString("latin1", 0, end);
    const body = this.#seen.subarray(end + HEAD_END.length);
    this.#requestLine = head.slice(0, head.indexOf("\r\n"));
    this.#left = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    this.#seen = NOTHING;
    this.#takeBody(body);
  };

  #takeBody(data: Buffer): void {
    this.#left -= data.length;
    if (this.#seen.length < READ_BYTES) this.#seen = this.#seen.length === 0 ? data : Buffer.concat([this.#seen, data]);
    if (this.#left > 0) return;
    const body = this.#seen.toString("latin1", 0, READ_BYTES);
    const [method, path = ""] = this.#requestLine.split(" ");
    this.#requestLine = "";
    this.#seen = NOTHING;
    this.#answer(method === "GET", path, body);
  }

  #answer(isGet: boolean, path: string, body: string): void {
    const shape = shapeOf(body);
    if (shape === undefined) this.#socket.write(isGet ? MODELS : COMPLETION);
    else sendStream(this.#socket, PARTS[familyOf(path)], shape);
  }
}

const server = net.createServer({ noDelay: true }, (socket) => {
  socket.on("data", new Exchange(socket).take);
  // Whoever goes away has its stream end.
  socket.on("error", () => socket.destroy());
});
server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 });
await once(server, "listening");
answerAsServer((server.address() as net.AddressInfo).port);
