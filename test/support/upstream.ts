import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";

/** A request that a hand-made upstream got. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query, as they stood in the request's first line. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Which connection it came on; they count from 0. */
  readonly connection: number;
  /** Resolves when the connection is closed, as the upstream sees it; with the time of `performance.now()`. */
  readonly closed: Promise<number>;
}

/** What a hand-made upstream does with a request. */
export interface Reply {
  /** HTTP status, 200 where it is left out; "none": not even a head is sent. */
  readonly status?: number | "none";
  readonly headers?: Readonly<Record<string, string>>;
  /** The body, each piece in a write of its own. It is sent in chunks, unless the headers have a `content-length`. */
  readonly pieces?: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;
  /**
   * What comes after the last piece. "whole", the default: the body's proper end. "close": the end of the connection, and "reset":
   * its reset, before the body's end. "hold": nothing, until the client goes.
   */
  readonly ending?: "whole" | "close" | "reset" | "hold";
  /** Bytes to send in the place of all this. */
  readonly raw?: string;
}

/** A hand-made upstream. */
export interface Upstream {
  /** Such as "http://127.0.0.1:4711". */
  readonly url: string;
  readonly port: number;
  /** The requests so far, in the order in which they were whole. */
  readonly requests: readonly UpstreamRequest[];
  /** The request of that number, from 0; waits until it is there. */
  request(index: number): Promise<UpstreamRequest>;
  /** How many connections were opened so far. */
  readonly connections: number;
  /** How many are open now. */
  readonly openConnections: number;
  close(): Promise<void>;
}

/** How an upstream listens. */
export interface UpstreamOptions {
  /** PEM texts; without them it speaks plain text. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Takes the connections of CONNECT requests, after their head was answered with 200: the upstream is a proxy then. */
  readonly tunnel?: (socket: Socket, target: string, headers: IncomingHttpHeaders) => void;
}

/** The body of an event stream of these data, one event a piece. */
export const events = (...data: readonly string[]): string[] => data.map((text) => `data: ${text}\n\n`);

/** A reply with an event stream. */
export const eventStream = (pieces: NonNullable<Reply["pieces"]>, ending: Reply["ending"] = "whole"): Reply => ({
  headers: { "content-type": "text/event-stream" },
  pieces,
  ending,
});

/** A reply with JSON. */
export const json = (body: unknown, status = 200): Reply => ({
  status,
  headers: { "content-type": "application/json" },
  pieces: [JSON.stringify(body)],
});

/** Starts a hand-made upstream on a free port. It answers each request as `answer` says. */
export async function startUpstream(
  answer: (request: UpstreamRequest) => Reply | Promise<Reply>,
  { tls, tunnel }: UpstreamOptions = {},
): Promise<Upstream> {
  const requests: UpstreamRequest[] = [];
  const sockets = new Set<Socket>();
  const known = new WeakMap<Socket, Pick<UpstreamRequest, "connection" | "closed">>();
  let waiting: (() => void)[] = [];
  let connections = 0;

  const serve: RequestListener = (message, response) => {
    const pieces: Buffer[] = [];
    message.on("data", (piece: Buffer) => pieces.push(piece));
    message.on("error", () => undefined); // The client went away while it was sending.
    message.on("end", async () => {
      const { method = "", url: path = "", headers, socket } = message;
      const origin = known.get(socket) as Pick<UpstreamRequest, "connection" | "closed">;
      const request = { method, path, headers, body: Buffer.concat(pieces).toString(), ...origin };
      requests.push(request);
      for (const wake of waiting.splice(0)) wake();
      await send(await answer(request), response, request);
    });
  };
  const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  server.keepAliveTimeout = 60_000;
  server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) => {
    sockets.add(socket);
    const closed = new Promise<number>((resolve) => {
      socket.on("close", () => {
        sockets.delete(socket);
        resolve(performance.now());
      });
    });
    socket.on("error", () => undefined); // A reset is what some tests are about; "close" follows it.
    known.set(socket, { connection: connections++, closed });
  });
  if (tunnel !== undefined) {
    server.on("connect", ({ url: target = "", headers }, socket: Socket) => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      tunnel(socket, target, headers);
    });
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    port,
    requests,
    async request(index) {
      while (requests.length <= index) {
        await new Promise<void>((resolve) => {
          waiting = [...waiting, resolve];
        });
      }
      return requests[index] as UpstreamRequest;
    },
    get connections() {
      return connections;
    },
    get openConnections() {
      return sockets.size;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function send(reply: Reply, response: ServerResponse, { closed }: UpstreamRequest): Promise<void> {
  const { socket } = response;
  if (socket === null) return; // The client is gone already.
  const { status = 200, headers = {}, pieces = [], ending = "whole", raw } = reply;
  if (raw !== undefined) {
    socket.end(raw);
    return;
  }
  if (status !== "none") {
    response.writeHead(status, headers);
    response.flushHeaders();
  }
  for await (const piece of pieces) {
    if (socket.destroyed) return;
    if (!response.write(piece)) await Promise.race([once(response, "drain"), closed]);
    await nextTurn();
  }
  switch (ending) {
    case "whole":
      response.end();
      break;
    case "close":
      // What is written must be on its way, or it would be lost with the connection.
      socket.end();
      break;
    case "reset":
      socket.resetAndDestroy();
      break;
    case "hold":
      break;
    default:
      ending satisfies never;
  }
}
