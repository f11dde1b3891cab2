import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { PREFACE } from "../../src/server/sniff.ts";
import {
  call,
  createInbox,
  encodeFrame,
  FRAME,
  GET_HEADERS,
  IDENTITY,
  openSession,
  openStream,
  sendRaw,
  sendRawTls,
  serve,
  WHOLE_REQUEST,
} from "./harness.ts";

/** More than the buffers of two systems hold. */
const MUCH = "x".repeat(32 * 1024 * 1024);
const GET = "GET /much HTTP/1.1\r\nhost: a\r\n\r\n";

describe("readerTimeoutMs", () => {
  it.each([
    "plain",
    "TLS",
  ])("ends an HTTP/1.1 connection whose client takes nothing of its answer: %s", async (kind) => {
    const inbox = createInbox();
    const isPlain = kind === "plain";
    const server = await serve(inbox.handler, { readerTimeoutMs: 200, ...(isPlain ? {} : { tls: IDENTITY }) });
    const { socket } = isPlain ? await sendRaw(server, GET) : await sendRawTls(server, "http/1.1", GET);
    socket.pause();
    const { response } = await inbox.next();
    const closed = once(response, "close");
    response.write(MUCH);
    await closed;
    expect(response.writableFinished).toBe(false);
    await vi.waitFor(() => expect(server.openConnections).toBe(0));
  });

  it("resets an HTTP/2 stream whose client takes nothing of its answer, and no other", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler, { readerTimeoutMs: 200 });
    const session = await openSession(server);
    const stalled = session.request({ ":path": "/much" });
    stalled.on("error", () => undefined);
    const { response } = await inbox.next();
    const closed = once(response, "close");
    response.write(MUCH);
    await closed;
    await once(stalled.resume(), "close");
    expect(stalled.rstCode).toBe(8); // CANCEL
    const { stream, answer } = openStream(session, "/next");
    stream.end();
    (await inbox.next()).response.end("served");
    expect((await answer).text).toBe("served");
  });

  it("ends an HTTP/2 stream, and its connection, of which nothing is read", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler, { readerTimeoutMs: 200, keepAliveTimeoutMs: 200 });
    const client = await sendRaw(server, PREFACE.toString("latin1"));
    // As much as the client's windows can be made to hold, for the stream and for the connection.
    const window = Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff]);
    client.socket.write(encodeFrame(FRAME.settings, 0, 0, window));
    client.socket.write(encodeFrame(FRAME.windowUpdate, 0, 0, Buffer.from([0x7f, 0xff, 0, 0])));
    client.socket.write(encodeFrame(FRAME.headers, WHOLE_REQUEST, 1, GET_HEADERS));
    const { response } = await inbox.next();
    client.socket.pause();
    const closed = once(response, "close");
    response.write(MUCH);
    await closed;
    await vi.waitFor(() => expect(server.openConnections).toBe(0), { timeout: 10_000 });
  });

  it("does not end an answer that is silent for longer, on either protocol", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler, { readerTimeoutMs: 50 });
    const first = call(server, "/slow");
    const one = await inbox.next();
    one.response.write("not ");
    const { stream, answer } = openStream(await openSession(server), "/slow");
    stream.end();
    const other = await inbox.next();
    other.response.write("not ");
    await delay(300);
    one.response.end("yet");
    other.response.end("yet");
    expect([(await first).text, (await answer).text]).toEqual(["not yet", "not yet"]);
  });
});
