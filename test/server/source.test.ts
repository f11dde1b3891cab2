/** A server whose connections another one has accepted. */
import { once } from "node:events";
import net from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { ConnectionSource, GivenServerOptions } from "../../src/server/options.ts";
import type { RunningServer } from "../../src/server/server.ts";
import {
  call,
  createAgent,
  createInbox,
  echo,
  IDENTITY,
  openSession,
  openStream,
  receive,
  sendRaw,
  sendRawTls,
  serve,
} from "./harness.ts";

/** Longer than a test may take. */
const LONG_MS = 60_000;

/** Starts a server behind a port of another one. */
async function serveGiven(
  handler: GivenServerOptions["handler"] = echo,
  options: Partial<GivenServerOptions> = {},
): Promise<RunningServer> {
  const sockets = new Set<(socket: net.Socket) => void>();
  const port = net.createServer((socket) => {
    for (const take of sockets) take(socket);
  });
  port.listen(0, "127.0.0.1");
  await once(port, "listening");
  onTestFinished(() => void port.close());
  const source: ConnectionSource = {
    address: { host: "127.0.0.1", port: (port.address() as net.AddressInfo).port },
    open: (take) => void sockets.add(take),
    close: () => void port.close(),
  };
  return serve(handler, { source, ...options });
}

describe("a server with a source of connections", () => {
  it("tells where the source listens, and speaks both protocols", async () => {
    const server = await serveGiven();
    expect((await call(server, "/one", { method: "POST" }, "four")).text).toBe("1.1 POST /one 4");
    const { stream, answer } = openStream(await openSession(server), "/two");
    stream.end("four");
    expect(await answer).toMatchObject({ text: "2.0 POST /two 4" });
  });

  it("speaks both under TLS", async () => {
    const server = await serveGiven(echo, { tls: IDENTITY });
    expect(server.address.url).toMatch(/^https:/);
    const { stream, answer } = openStream(await openSession(server), "/two");
    stream.end();
    expect(await answer).toMatchObject({ text: "2.0 POST /two 0" });
    const one = await sendRawTls(server, "http/1.1", "GET /one HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    expect(await one.closed).toMatch(/1\.1 GET \/one 0$/);
  });

  it("times headers, as on a port of its own", async () => {
    const server = await serveGiven(echo, { headersTimeoutMs: 200, requestTimeoutMs: 200 });
    const slow = await sendRaw(server, "GET / HTTP/1.1\r\nhost: a\r\nslow: ");
    expect(await slow.closed).toMatch(/^HTTP\/1\.1 408 /);
    const silent = await sendRaw(server, "");
    expect(await silent.closed).toBe("");
  });

  it("answers a client that has closed its side", async () => {
    const inbox = createInbox();
    const server = await serveGiven(inbox.handler);
    const client = await sendRaw(server, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    client.socket.end();
    const { response } = await inbox.next();
    response.end("late");
    expect(await client.closed).toMatch(/late$/);
  });

  it("closes what is idle, lets what is open finish, and takes no more when it ends", async () => {
    const inbox = createInbox();
    const server = await serveGiven(inbox.handler);
    const agent = createAgent();
    const idle = call(server, "/idle", { agent });
    (await inbox.next()).response.end();
    await idle;
    const open = await sendRaw(server, "GET /open HTTP/1.1\r\nhost: a\r\n\r\n");
    const { response } = await inbox.next();
    const closed = server.close(LONG_MS);
    await vi.waitFor(() => expect(server.openConnections).toBe(1));
    response.end("done");
    await receive(open, "done");
    await closed;
    expect(server.openConnections).toBe(0);
    await expect(call(server, "/new")).rejects.toThrow("ECONNREFUSED");
  });
});
