/** What can be changed of a server while it listens. */
import { once } from "node:events";
import https from "node:https";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import tls from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { SERVER_DEFAULTS, type ServerChange, type TlsIdentity } from "../../src/server/options.ts";
import type { RunningServer } from "../../src/server/server.ts";
import {
  call,
  createInbox,
  echo,
  IDENTITY,
  NEXT_IDENTITY,
  openSession,
  openStream,
  readText,
  sendRaw,
  serve,
} from "./harness.ts";

/** The defaults, but for the change. */
const changeTo = (change: Partial<ServerChange>): ServerChange => ({
  tls: undefined,
  maxConnections: SERVER_DEFAULTS.maxConnections,
  requestTimeoutMs: SERVER_DEFAULTS.requestTimeoutMs,
  ...change,
});

/** Connects by TLS, trusting one certificate alone. Rejects where the server shows another. */
async function connectTls({ address }: RunningServer, { cert }: TlsIdentity, session?: Buffer): Promise<tls.TLSSocket> {
  const { port } = address;
  const socket = tls.connect({
    port,
    host: "127.0.0.1",
    ca: cert,
    servername: "localhost",
    ...(session && { session }),
  });
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  return socket;
}

async function say(socket: Socket, path: string): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
  return readText(socket);
}

describe("change()", () => {
  it("shows new connections another certificate, and keeps those that are open", async () => {
    const server = await serve(echo, { tls: IDENTITY });
    const before = await connectTls(server, IDENTITY);
    const session = await openSession(server);
    server.change(changeTo({ tls: NEXT_IDENTITY }));
    await expect(connectTls(server, IDENTITY)).rejects.toThrow(/certificate/);
    expect(await say(await connectTls(server, NEXT_IDENTITY), "/next")).toMatch(/1\.1 GET \/next 0$/);
    expect(await say(before, "/before")).toMatch(/1\.1 GET \/before 0$/);
    const { stream, answer } = openStream(session, "/two");
    stream.end();
    expect(await answer).toMatchObject({ status: 200, text: "2.0 POST /two 0" });
  });

  it("still lets clients choose the protocol", async () => {
    const server = await serve(echo, { tls: IDENTITY });
    server.change(changeTo({ tls: NEXT_IDENTITY }));
    const session = await openSession(server, NEXT_IDENTITY);
    expect(session.alpnProtocol).toBe("h2");
    const request = https.get(server.address.url, { ca: NEXT_IDENTITY.cert, agent: false });
    const [response] = await once(request, "response");
    expect(await readText(response)).toBe("1.1 GET / 0");
  });

  it("does not take up a TLS session that was begun with the certificate before", async () => {
    const server = await serve(echo, { tls: IDENTITY });
    const before = await connectTls(server, IDENTITY);
    const ticket = once(before, "session");
    await say(before, "/");
    const [session] = await ticket;
    server.change(changeTo({ tls: NEXT_IDENTITY }));
    expect((await connectTls(server, NEXT_IDENTITY, session)).isSessionReused()).toBe(false);
  });

  it("changes nothing where key and certificate don't belong together", async () => {
    const server = await serve(echo, { tls: IDENTITY });
    const mixed = { key: IDENTITY.key, cert: NEXT_IDENTITY.cert };
    expect(() => server.change(changeTo({ tls: mixed, maxConnections: 1 }))).toThrow("the TLS key and certificate");
    await connectTls(server, IDENTITY);
    expect(await say(await connectTls(server, IDENTITY), "/still")).toMatch(/1\.1 GET \/still 0$/);
  });

  it("bounds connections that come then", async () => {
    const server = await serve(echo);
    const first = await sendRaw(server, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await once(first.socket, "readable");
    server.change(changeTo({ maxConnections: 1 }));
    expect(await (await sendRaw(server, "GET / HTTP/1.1\r\nhost: a\r\n\r\n")).closed).toBe("");
    server.change(changeTo({ maxConnections: 2 }));
    expect((await call(server, "/second")).text).toBe("1.1 GET /second 0");
    expect(() => server.change(changeTo({ maxConnections: 0 }))).toThrow(RangeError);
  });

  it("gives requests less time to arrive, on both protocols", async () => {
    const server = await serve(createInbox().handler, { headersTimeoutMs: 100, requestTimeoutMs: 600_000 });
    const session = await openSession(server);
    server.change(changeTo({ requestTimeoutMs: 100 }));
    const first = await sendRaw(server, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf");
    expect(await first.closed).toMatch(/^HTTP\/1\.1 408 [\s\S]*the whole of it within 100 ms/);
    const { stream, answer } = openStream(session, "/half");
    stream.write("half");
    expect(await answer).toMatchObject({ status: 408, text: expect.stringContaining("within 100 ms") });
  });

  it("gives requests more time to arrive, on both protocols", async () => {
    const server = await serve(echo, { headersTimeoutMs: 100, requestTimeoutMs: 100 });
    const session = await openSession(server);
    server.change(changeTo({ requestTimeoutMs: 600_000 }));
    const first = await sendRaw(
      server,
      "POST /slow HTTP/1.1\r\nhost: a\r\ncontent-length: 8\r\nconnection: close\r\n\r\nhalf",
    );
    const { stream, answer } = openStream(session, "/slow");
    stream.write("half");
    await delay(400);
    first.socket.write("half");
    stream.end("half");
    expect(await first.closed).toMatch(/1\.1 POST \/slow 8$/);
    expect(await answer).toMatchObject({ status: 200, text: "2.0 POST /slow 8" });
  });
});
