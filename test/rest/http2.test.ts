import http2 from "node:http2";
import zlib from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import type { CallContext } from "../../src/gateway/operation.ts";
import type { StreamChatCompletionResponse } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { createSource } from "./support/batch-source.ts";
import { HELLO, recordingOperations, streamedMessage } from "./support/operations.ts";
import { startRest } from "./support/rest-server.ts";

const CHAT = "/v1/chat/completions";
const STREAM = { ...HELLO, stream: true } as const;

function connect(port: number): http2.ClientHttp2Session {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => void session.destroy());
  return session;
}

interface Answer {
  readonly headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader;
  readonly text: string;
}

async function readAnswer(stream: http2.ClientHttp2Stream): Promise<Answer> {
  const headers = new Promise<Answer["headers"]>(
    (resolve, reject) => void stream.once("response", resolve).once("error", reject),
  );
  stream.setEncoding("utf8");
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return { headers: await headers, text };
}

function post(session: http2.ClientHttp2Session, body: object | Buffer, headers: http2.OutgoingHttpHeaders = {}) {
  const stream = session.request({ ":method": "POST", ":path": CHAT, "content-type": "application/json", ...headers });
  stream.end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
  return stream;
}

describe("REST over HTTP/2", () => {
  it("answers in one piece", async () => {
    const { port } = await startRest(recordingOperations(), { h2c: true });
    const session = connect(port);
    const { headers, text } = await readAnswer(
      post(session, zlib.gzipSync(JSON.stringify(HELLO)), { "content-encoding": "gzip" }),
    );
    expect(headers).toMatchObject({
      ":status": 200,
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(text)),
    });
    expect(JSON.parse(text)).toMatchObject({ object: "chat.completion" });
  });

  it("answers HEAD without a body, and unknown paths with 404", async () => {
    const { port } = await startRest(recordingOperations(), { h2c: true });
    const session = connect(port);
    const head = await readAnswer(session.request({ ":method": "HEAD", ":path": "/v1/models" }));
    expect([head.headers[":status"], head.text]).toEqual([200, ""]);
    expect(Number(head.headers["content-length"])).toBeGreaterThan(0);
    const nope = await readAnswer(session.request({ ":path": "/nope?x" }));
    expect([nope.headers[":status"], JSON.parse(nope.text)]).toMatchObject([
      404,
      { error: { message: "Unknown request URL: GET /nope" } },
    ]);
    const options = await readAnswer(session.request({ ":method": "OPTIONS", ":path": CHAT }));
    expect([options.headers[":status"], options.headers["allow"], options.text]).toEqual([204, "OPTIONS, POST", ""]);
  });

  it("streams, without the headers of a connection", async () => {
    const { port } = await startRest(recordingOperations(), { h2c: true });
    const { headers, text } = await readAnswer(post(connect(port), STREAM));
    expect(headers).toMatchObject({ ":status": 200, "content-type": "text/event-stream; charset=utf-8" });
    expect(headers).not.toHaveProperty("connection");
    expect(text).toMatch(/^(data: \{.*\}\n\n){3}data: \[DONE\]\n\n$/);
  });

  it("refuses a body that is too long, and serves the next request of the connection", async () => {
    const { port } = await startRest(recordingOperations(), { h2c: true });
    const session = connect(port);
    const tooLong = post(session, Buffer.alloc(8 * 1024 * 1024, " "));
    const closed = new Promise((resolve) => tooLong.once("close", resolve));
    const { headers, text } = await readAnswer(tooLong);
    expect([headers[":status"], JSON.parse(text)]).toMatchObject([413, { error: { code: "request_too_large" } }]);
    // The stream does not stay open until the client gives up.
    await closed;
    const next = await readAnswer(post(session, HELLO));
    expect(next.headers[":status"]).toBe(200);
  });

  it("aborts a call whose stream is reset, and only that", async () => {
    const source = createSource<StreamChatCompletionResponse>();
    const signals: AbortSignal[] = [];
    const operations = {
      ...recordingOperations(),
      streamChatCompletion: (_: unknown, { signal }: CallContext) => {
        signals.push(signal);
        return source;
      },
    };
    const { port, exchanges } = await startRest(operations, { h2c: true });
    const session = connect(port);
    const stream = post(session, STREAM);
    source.push(streamedMessage.text("Hi"));
    await new Promise((resolve) => stream.once("data", resolve));
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await exchanges[0]!.handled;
    expect(signals[0]!.reason).toMatchObject({ reason: Reason.CANCELLED });
    expect(source.returns).toBeGreaterThanOrEqual(1);
    expect((await readAnswer(post(session, HELLO))).headers[":status"]).toBe(200);
  });

  it("aborts a call whose connection breaks, also before it is answered", async () => {
    const signals: AbortSignal[] = [];
    const operations = {
      createChatCompletion: (_: unknown, { signal }: CallContext) => {
        signals.push(signal);
        return new Promise<never>((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        });
      },
    };
    const { port, exchanges } = await startRest(operations, { h2c: true });
    const session = connect(port);
    post(session, HELLO).on("error", () => {
      // The session is destroyed under it.
    });
    await expect.poll(() => signals.length).toBe(1);
    session.destroy();
    await exchanges[0]!.handled;
    expect(exchanges[0]!.log.error?.reason).toBe(Reason.CANCELLED);
  });

  it("ends a stream without an answer when its call was cancelled by somebody else", async () => {
    const operations = {
      ...recordingOperations(),
      createChatCompletion: async () => {
        throw new GatewayError(Reason.CANCELLED, "the call was cancelled");
      },
    };
    const { port } = await startRest(operations, { h2c: true });
    const session = connect(port);
    const events: string[] = [];
    const stream = post(session, HELLO);
    for (const event of ["response", "error"]) stream.on(event, () => events.push(event));
    await new Promise((resolve) => stream.once("close", resolve));
    expect(events).not.toContain("response");
    expect((await readAnswer(session.request({ ":path": "/v1/models" }))).headers[":status"]).toBe(200);
  });

  it("counts a client that goes away while it sends as cancelled", async () => {
    const { port, exchanges } = await startRest({}, { h2c: true });
    const session = connect(port);
    const stream = session.request({ ":method": "POST", ":path": CHAT });
    stream.on("error", () => {
      // The session is destroyed under it.
    });
    stream.write('{"model":');
    await expect.poll(() => exchanges.length).toBe(1);
    session.destroy();
    await exchanges[0]!.handled;
    expect(exchanges[0]!.log.error?.reason).toBe(Reason.CANCELLED);
  });

  it("holds a stream back that is not read", async () => {
    let pulls = 0;
    const text = "x".repeat(64 * 1024);
    const operations = {
      async *streamChatCompletion() {
        for (;;) {
          pulls += 1;
          yield [streamedMessage.text(text)];
        }
      },
    };
    const { port, exchanges } = await startRest(operations, { h2c: true });
    const stream = post(connect(port), STREAM);
    await new Promise((resolve) => stream.once("response", resolve));
    // HTTP/2's own window is 64 KiB: the second batch at the latest has to wait.
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(pulls).toBeLessThan(8);
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await exchanges[0]!.handled;
    expect(exchanges[0]!.log.error?.reason).toBe(Reason.CANCELLED);
  });
});
