/** Servers and plain clients for the tests of the port. What a test opens through here is closed after it. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import tls from "node:tls";
import { afterEach } from "vitest";
import type { GivenServerOptions, RequestHandler, TlsIdentity } from "../../src/server/options.ts";
import { type RunningServer, startServer } from "../../src/server/server.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A certificate for localhost that signs itself, valid until 2120. It guards nothing. */
export const IDENTITY: TlsIdentity = {
  key: readFileSync(new URL("fixtures/localhost-key.pem", import.meta.url), "utf8"),
  cert: readFileSync(new URL("fixtures/localhost-cert.pem", import.meta.url), "utf8"),
};

/** Another one, with another key. */
export const NEXT_IDENTITY: TlsIdentity = {
  key: readFileSync(new URL("fixtures/localhost-next-key.pem", import.meta.url), "utf8"),
  cert: readFileSync(new URL("fixtures/localhost-next-cert.pem", import.meta.url), "utf8"),
};

/** Answers with the protocol's version, the method, the path, and the body's length. */
export const echo: RequestHandler = (request, response) => {
  let length = 0;
  request.on("data", (data: Buffer) => {
    length += data.length;
  });
  request.on("end", () => {
    response.end(`${request.httpVersion} ${request.method} ${request.url} ${length}`);
  });
};

/** Starts a server on a free port of 127.0.0.1. */
export async function serve(
  handler: RequestHandler,
  options: Partial<Omit<GivenServerOptions, "handler">> = {},
): Promise<RunningServer> {
  const server = await startServer({ host: "127.0.0.1", port: 0, ...options, handler });
  cleanups.push(() => server.close(0));
  return server;
}

/** A request that waits for its answer. Both protocols share the methods of the older one, and only those are used. */
export interface Arrival {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
}

/** A handler that hands its requests to the test, in the order of their arrival. */
export function createInbox(): {
  readonly handler: RequestHandler;
  next(): Promise<Arrival>;
} {
  const arrived: Arrival[] = [];
  const waiting: ((arrival: Arrival) => void)[] = [];
  return {
    handler: (request, response) => {
      const arrival = { request, response } as Arrival;
      const resolve = waiting.shift();
      if (resolve === undefined) arrived.push(arrival);
      else resolve(arrival);
    },
    async next() {
      return arrived.shift() ?? (await new Promise<Arrival>((resolve) => waiting.push(resolve)));
    },
  };
}

/** A client's socket and what came back on it. */
export interface RawClient {
  readonly socket: net.Socket;
  /** What has been received so far. */
  received(): Buffer;
  /** Resolves with everything received when the connection is gone, however it went. */
  readonly closed: Promise<string>;
}

function collect(socket: net.Socket): RawClient {
  cleanups.push(() => socket.destroy());
  const parts: Buffer[] = [];
  socket.on("data", (data: Buffer) => parts.push(data));
  socket.on("error", () => undefined); // A reset is an end like any other here; what arrived before it is what counts.
  const received = (): Buffer => Buffer.concat(parts);
  const closed = new Promise<string>((resolve) => {
    socket.on("close", () => resolve(received().toString("latin1")));
  });
  return { socket, received, closed };
}

/** Connects and sends text. */
export async function sendRaw({ address }: RunningServer, text: string): Promise<RawClient> {
  const socket = net.connect(address.port, "127.0.0.1");
  const client = collect(socket);
  await once(socket, "connect");
  socket.setNoDelay(true);
  if (text !== "") socket.write(text, "latin1");
  return client;
}

/** Connects by TLS, offering one protocol, and sends text. */
export async function sendRawTls({ address }: RunningServer, alpn: string, text: string): Promise<RawClient> {
  const socket = tls.connect({
    port: address.port,
    host: "127.0.0.1",
    ca: IDENTITY.cert,
    servername: "localhost",
    ALPNProtocols: [alpn],
  });
  const client = collect(socket);
  await once(socket, "secureConnect");
  if (text !== "") socket.write(text, "latin1");
  return client;
}

/** Resolves when the client has received the text. */
export function receive(client: RawClient, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (!client.received().includes(text)) return;
      client.socket.off("data", look);
      resolve();
    };
    client.socket.on("data", look);
    client.closed.then(() => reject(new Error(`closed before ${JSON.stringify(text)} came`)), reject);
    look();
  });
}

/** What an HTTP client got. */
export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** Makes a pool of HTTP/1.1 connections that are kept. */
export function createAgent(): http.Agent {
  const agent = new http.Agent({ keepAlive: true });
  cleanups.push(() => agent.destroy());
  return agent;
}

/** Makes one HTTP/1.1 call. */
export async function call(
  { address }: RunningServer,
  path: string,
  options: http.RequestOptions = {},
  body?: string,
): Promise<Answer> {
  const request = http.request(`${address.url}${path}`, options);
  request.end(body);
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, text: await readText(response) };
}

/** Reads a body to its end; rejects if it was cut. */
export async function readText(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  stream.setEncoding("utf8");
  for await (const part of stream) text += part;
  return text;
}

/** Opens an HTTP/2 session: with prior knowledge, or by ALPN where the server has TLS. */
export async function openSession({ address }: RunningServer, { cert } = IDENTITY): Promise<http2.ClientHttp2Session> {
  const session = http2.connect(address.url, { ca: cert });
  cleanups.push(() => session.destroy());
  session.on("error", () => undefined); // Tests look at the streams, and at the session's end.
  await once(session, "remoteSettings");
  return session;
}

/** Starts a call on a session; `answer` rejects when the stream fails. */
export function openStream(
  session: http2.ClientHttp2Session,
  path: string,
  headers: http2.OutgoingHttpHeaders = {},
): { stream: http2.ClientHttp2Stream; answer: Promise<Answer> } {
  const stream = session.request({ ":method": "POST", ":path": path, ...headers });
  const answer = new Promise<Answer>((resolve, reject) => {
    stream.on("error", reject);
    // A connection that is cut closes its streams without an error.
    stream.on("close", () => reject(new Error("the stream was closed before its end")));
    stream.on("response", (head) => {
      const finish = (text: string): void => resolve({ status: Number(head[":status"]), headers: head, text });
      readText(stream).then(finish, reject);
    });
  });
  answer.catch(() => undefined); // Tests that expect a failure await it later.
  return { stream, answer };
}

/** One frame of HTTP/2. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** Types of frames (RFC 9113 §6). */
export const FRAME = { headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 } as const;

/** Writes a frame. */
export function encodeFrame(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** Reads the whole frames that stand in the bytes. */
export function decodeFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  while (bytes.length - at >= 9) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    frames.push({
      type: bytes.readUInt8(at + 3),
      flags: bytes.readUInt8(at + 4),
      streamId: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  return frames;
}

/** Resolves with the first frame of that type; keeps looking as bytes arrive. */
export function receiveFrame(client: RawClient, type: number, streamId = 0): Promise<Frame> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const frame = decodeFrames(client.received()).find((one) => one.type === type && one.streamId === streamId);
      if (frame === undefined) return;
      client.socket.off("data", look);
      resolve(frame);
    };
    client.socket.on("data", look);
    client.closed.then(() => reject(new Error(`closed before a frame of type ${type} came`)), reject);
    look();
  });
}

/** HPACK of `:method: GET`, `:scheme: http`, `:path: /`, `:authority: a` (RFC 7541, static table and one literal). */
export const GET_HEADERS = Buffer.from([0x82, 0x86, 0x84, 0x41, 0x01, 0x61]);

/** END_STREAM and END_HEADERS: a request without a body, in one frame. */
export const WHOLE_REQUEST = 0x05;

/** Types and codes of the statuses that are no plain 400 in the catalogue of errors. */
const OTHER_ERRORS: Readonly<Record<string, { type: string; code: string }>> = {
  "408": { type: "server_error", code: "request_timeout" },
  "413": { type: "invalid_request_error", code: "request_too_large" },
  "501": { type: "invalid_request_error", code: "not_implemented" },
};

/** The body of a refusal with that status. */
export const errorBody = (status: string, message: unknown) => ({
  error: { message, param: null, ...(OTHER_ERRORS[status] ?? { type: "invalid_request_error", code: null }) },
});
