import { once } from "node:events";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { StreamHandler } from "../../src/server/options.ts";
import { createInbox, echo, IDENTITY, openSession, openStream, serve } from "./harness.ts";

/** More than the buffers of two systems hold. */
const MUCH = "x".repeat(32 * 1024 * 1024);

/** A handler that takes the requests of one path, and hands the first of their streams to the test. */
function createTaker(path: string) {
  const { promise, resolve } = Promise.withResolvers<ServerHttp2Stream>();
  const streamHandler: StreamHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    if (headers[":path"] !== path) return undefined;
    stream.on("error", () => undefined);
    resolve(stream);
    return "the-id";
  };
  return { streamHandler, taken: promise };
}

describe("streamHandler", () => {
  it.each(["plain", "TLS"])("answers what it takes, and leaves all else to the other handler: %s", async (kind) => {
    const { streamHandler, taken } = createTaker("/taken");
    const server = await serve(echo, { streamHandler, ...(kind === "TLS" ? { tls: IDENTITY } : {}) });
    const session = await openSession(server);
    const [one, other] = [openStream(session, "/taken"), openStream(session, "/left")];
    one.stream.end();
    other.stream.end("body");
    const stream = await taken;
    stream.respond({ ":status": 200 });
    stream.end("by the stream");
    expect([(await one.answer).text, (await other.answer).text]).toEqual(["by the stream", "2.0 POST /left 4"]);
  });

  it("does not see a request on HTTP/1.1", async () => {
    const { streamHandler } = createTaker("/taken");
    const server = await serve(echo, { streamHandler });
    const response = await fetch(`${server.address.url}/taken`);
    expect(await response.text()).toBe("1.1 GET /taken 0");
  });

  it("has its request refused when that is not there in time, under the id that it gave", async () => {
    const { streamHandler } = createTaker("/taken");
    const server = await serve(echo, { streamHandler, headersTimeoutMs: 100, requestTimeoutMs: 100 });
    const { stream, answer } = openStream(await openSession(server), "/taken");
    stream.write("half");
    const { status, headers } = await answer;
    expect([status, headers["x-request-id"]]).toEqual([408, "the-id"]);
  });

  it("has a stream reset whose client takes nothing of its answer, and no other", async () => {
    const { streamHandler, taken } = createTaker("/taken");
    const inbox = createInbox();
    const server = await serve(inbox.handler, { streamHandler, readerTimeoutMs: 200 });
    const session = await openSession(server);
    const stalled = session.request({ ":path": "/taken" });
    stalled.on("error", () => undefined);
    const answered = await taken;
    const closed = once(answered, "close");
    answered.respond({ ":status": 200 });
    answered.write(MUCH);
    await closed;
    await once(stalled.resume(), "close");
    expect(stalled.rstCode).toBe(8); // CANCEL
    const { stream, answer } = openStream(session, "/next");
    stream.end();
    (await inbox.next()).response.end("served");
    expect((await answer).text).toBe("served");
  });

  it("leaves a stream alone that is silent for longer, and one that answers before its request has ended", async () => {
    const { streamHandler, taken } = createTaker("/taken");
    const timeouts = { headersTimeoutMs: 50, requestTimeoutMs: 50, readerTimeoutMs: 50 };
    const server = await serve(echo, { streamHandler, ...timeouts });
    const { stream, answer } = openStream(await openSession(server), "/taken");
    stream.write("half");
    const answered = await taken;
    answered.respond({ ":status": 200 });
    answered.write("not ");
    await delay(300);
    answered.end("yet");
    const { status, text } = await answer;
    expect([status, text]).toEqual([200, "not yet"]);
  });
});
