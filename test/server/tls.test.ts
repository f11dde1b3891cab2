import { once } from "node:events";
import https from "node:https";
import tls from "node:tls";
import { describe, expect, it, vi } from "vitest";
import type { RunningServer } from "../../src/server/server.ts";
import {
  createInbox,
  echo,
  errorBody,
  IDENTITY,
  openSession,
  openStream,
  readText,
  sendRaw,
  sendRawTls,
  serve,
} from "./harness.ts";

/** Longer than a test may take: a close() that resolves did not wait for it. */
const LONG_MS = 60_000;

const TIMES = { headersTimeoutMs: 200, requestTimeoutMs: 200 };

async function get(server: RunningServer, path: string): Promise<{ status: number | undefined; text: string }> {
  const request = https.get(`${server.address.url}${path}`, { ca: IDENTITY.cert });
  const [response] = await once(request, "response");
  return { status: response.statusCode, text: await readText(response) };
}

describe("a port with TLS", () => {
  it("serves HTTP/1.1 and HTTP/2 by ALPN", async () => {
    const server = await serve(echo, { tls: IDENTITY });
    expect(server.address.url).toBe(`https://127.0.0.1:${server.address.port}`);
    const session = await openSession(server);
    expect(session.alpnProtocol).toBe("h2");
    const { stream, answer } = openStream(session, "/two");
    stream.end("four");
    expect(await answer).toMatchObject({ status: 200, text: "2.0 POST /two 4" });
    expect(await get(server, "/one")).toEqual({ status: 200, text: "1.1 GET /one 0" });
  });

  it("speaks HTTP/1.1 to a client without ALPN", async () => {
    const server = await serve(echo, { tls: IDENTITY });
    const socket = tls.connect({ port: server.address.port, ca: IDENTITY.cert, servername: "localhost" });
    socket.write("GET /plain HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    expect(await readText(socket)).toMatch(/1\.1 GET \/plain 0$/);
    expect(socket.alpnProtocol).toBe(false);
  });

  it.each([
    ["headers that stop", "GET / HTTP/1.1\r\nhost: a\r\n", "408"],
    ["a body that stops", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf", "408"],
    ["nonsense", "nonsense\r\n\r\n", "400"],
    ["no host", "GET / HTTP/1.1\r\n\r\n", "400"],
    ["large headers", `GET / HTTP/1.1\r\nhost: a\r\nx: ${"x".repeat(1_100)}\r\n\r\n`, "431"],
    ["a tunnel", "CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n", "501"],
    ["an unknown expectation", "GET / HTTP/1.1\r\nhost: a\r\nexpect: tea\r\n\r\n", "417"],
  ])("answers %s", async (_name, sent, status) => {
    const server = await serve(echo, { ...TIMES, tls: IDENTITY, maxHeaderBytes: 1_024 });
    const client = await sendRawTls(server, "http/1.1", sent);
    const received = await client.closed;
    expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(JSON.parse(received.slice(received.indexOf("{")))).toEqual(errorBody(status, expect.any(String)));
  });

  it("closes a connection that does not finish its handshake, and one that is no TLS", async () => {
    const server = await serve(echo, { ...TIMES, tls: IDENTITY });
    const silent = await sendRaw(server, "");
    const plain = await sendRaw(server, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await Promise.all([silent.closed, plain.closed]);
    expect(await get(server, "/still")).toEqual({ status: 200, text: "1.1 GET /still 0" });
  });

  it("closes idle connections at once when it is closed", async () => {
    const server = await serve(echo, { tls: IDENTITY });
    const agent = new https.Agent({ keepAlive: true, ca: IDENTITY.cert });
    const kept = https.get(server.address.url, { agent });
    const [response] = await once(kept, "response");
    await readText(response);
    const session = await openSession(server);
    const sessionClosed = once(session, "close");
    const handshaking = await sendRaw(server, "");
    const unspoken = await sendRawTls(server, "http/1.1", "");
    await vi.waitFor(() => expect(server.openConnections).toBe(4));
    await server.close(LONG_MS);
    await Promise.all([sessionClosed, handshaking.closed, unspoken.closed]);
    expect(server.openConnections).toBe(0);
  });

  it("lets calls of both protocols finish when it is closed", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler, { tls: IDENTITY });
    const one = get(server, "/one");
    const first = await inbox.next();
    const session = await openSession(server);
    const goaway = once(session, "goaway");
    const { stream, answer } = openStream(session, "/two");
    stream.end();
    const second = await inbox.next();
    const closed = server.close(LONG_MS);
    await goaway;
    first.response.end("one");
    second.response.end("two");
    expect((await one).text).toBe("one");
    expect((await answer).text).toBe("two");
    await closed;
  });

  it("destroys what is left after the grace", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler, { tls: IDENTITY });
    const failed = expect(get(server, "/one")).rejects.toMatchObject({ code: "ECONNRESET" });
    await inbox.next();
    const { stream, answer } = openStream(await openSession(server), "/two");
    stream.end();
    await inbox.next();
    await server.close(50);
    await failed;
    await expect(answer).rejects.toThrow();
    expect(server.openConnections).toBe(0);
  });
});
