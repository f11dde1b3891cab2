/**
 * The least that a proxy on Node can do: node:http in front of undici's dispatch. Bytes pass unchanged, with their headers; whoever
 * reads slowly slows the upstream down, and whoever goes away ends the call there. The upstream's port is the first argument.
 */
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { type Dispatcher, Pool } from "undici";
import { answerAsServer } from "./server-side.ts";

const upstream = new Pool(`http://127.0.0.1:${process.argv[2]}`, { connections: null, pipelining: 1 });

/** Headers that are of one connection, or that undici sets. */
const OWN = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "te",
  "upgrade",
  "host",
  "content-length",
  "expect",
]);

function requestHeaders(raw: readonly string[]): string[] {
  const headers: string[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] as string;
    if (!OWN.has(name.toLowerCase())) headers.push(name, raw[at + 1] as string);
  }
  return headers;
}

function answerHeaders(received: http.IncomingHttpHeaders): http.OutgoingHttpHeaders {
  const headers: http.OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(received)) {
    if (!OWN.has(name) || name === "content-length") headers[name] = value;
  }
  return headers;
}

/** Passes an answer on. */
class PassOn implements Dispatcher.DispatchHandler {
  readonly #response: http.ServerResponse;
  #isOver = false;

  constructor(response: http.ServerResponse) {
    this.#response = response;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    const abort = (): void => {
      if (!this.#isOver) controller.abort(new Error("the client has gone"));
    };
    if (this.#response.destroyed) abort();
    else this.#response.on("close", abort);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: http.IncomingHttpHeaders): void {
    this.#response.writeHead(status, answerHeaders(headers));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once("drain", () => controller.resume());
  }

  onResponseEnd(): void {
    this.#isOver = true;
    this.#response.end();
  }

  onResponseError(): void {
    this.#isOver = true;
    if (this.#response.headersSent) this.#response.destroy();
    else this.#response.writeHead(502).end();
  }
}

const server = http.createServer({ noDelay: true }, (request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const body = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    const { url: path = "/", rawHeaders } = request;
    upstream.dispatch({ path, method: "POST", headers: requestHeaders(rawHeaders), body }, new PassOn(response));
  });
});
server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 });
await once(server, "listening");
answerAsServer((server.address() as AddressInfo).port);
