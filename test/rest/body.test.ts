import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import zlib from "node:zlib";
import { fetch } from "undici";
import { describe, expect, it, onTestFinished } from "vitest";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { send } from "./support/http-client.ts";
import { HELLO, recordingOperations } from "./support/operations.ts";
import { startRest } from "./support/rest-server.ts";

const CHAT = "/v1/chat/completions";
const MEBIBYTE = 1024 * 1024;
const HELLO_JSON = JSON.stringify(HELLO);
const TOO_LARGE = {
  message: "the body is longer than 1048576 bytes",
  type: "invalid_request_error",
  param: null,
  code: "request_too_large",
};

describe("a JSON body", () => {
  it.each<[what: string, headers: Record<string, string>, body: string | Buffer]>([
    ["plain", { "content-type": "application/json" }, HELLO_JSON],
    ["with a charset", { "content-type": "Application/JSON; charset=UTF-8" }, HELLO_JSON],
    ["with a quoted charset", { "content-type": 'application/json;charset="utf-8"' }, HELLO_JSON],
    ["with another parameter", { "content-type": "application/json; profile=x" }, HELLO_JSON],
    ["without a type", {}, HELLO_JSON],
    ["in chunks", { "content-type": "application/json", "transfer-encoding": "chunked" }, HELLO_JSON],
    ["in identity", { "content-encoding": "identity" }, HELLO_JSON],
    ["in gzip", { "content-encoding": "gzip" }, zlib.gzipSync(HELLO_JSON)],
    ["in GZip", { "content-encoding": " GZip " }, zlib.gzipSync(HELLO_JSON)],
    ["in deflate", { "content-encoding": "deflate" }, zlib.deflateSync(HELLO_JSON)],
    ["in br", { "content-encoding": "br" }, zlib.brotliCompressSync(HELLO_JSON)],
    ["as long as may be", {}, HELLO_JSON.padEnd(MEBIBYTE)],
    ["as long as may be, in gzip", { "content-encoding": "gzip" }, zlib.gzipSync(HELLO_JSON.padEnd(MEBIBYTE))],
  ])("is read %s", async (_, headers, body) => {
    const operations = recordingOperations();
    const { port } = await startRest(operations);
    const { status } = await send(port, { path: CHAT, headers, body });
    expect(status).toBe(200);
    expect(operations.created[0]?.request.params).toMatchObject({
      model: "auto",
      messages: [{ content: [{ kind: { case: "text", value: "Hello" } }] }],
    });
  });

  it("keeps the digits of numbers in JSON Schemas", async () => {
    const operations = recordingOperations();
    const { port } = await startRest(operations);
    const schema = '{"maximum":12345678901234567890}';
    const body = `${HELLO_JSON.slice(0, -1)},"tools":[{"type":"function","function":{"name":"f","parameters":${schema}}}],
      "response_format":{"type":"json_schema","json_schema":{"name":"s","schema":${schema}}}}`;
    expect((await send(port, { path: CHAT, body })).status).toBe(200);
    expect(operations.created[0]?.request.params).toMatchObject({
      tools: [{ kind: { value: { schema: { case: "parametersJson", value: schema } } } }],
      responseFormat: { format: { value: { definition: { case: "schemaJson", value: schema } } } },
    });
  });

  it("has no number in a JSON Schema that is beyond all doubles", async () => {
    const { port } = await startRest(recordingOperations());
    const body = `${HELLO_JSON.slice(0, -1)},"functions":[{"name":"f","parameters":{"maximum":1e400}}]}`;
    const answer = await send(port, { path: CHAT, body });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('"param":"functions[0].parameters.maximum"');
  });

  it.each<[what: string, headers: Record<string, string>, body: string | Buffer, status: number, error: object]>([
    [
      "of another type",
      { "content-type": "text/plain" },
      HELLO_JSON,
      415,
      {
        message: 'content-type must be application/json in UTF-8, but is "text/plain"',
        code: "unsupported_media_type",
      },
    ],
    [
      "of a form",
      { "content-type": "multipart/form-data; boundary=x" },
      "--x--",
      415,
      { message: expect.stringContaining("multipart/form-data"), code: "unsupported_media_type" },
    ],
    [
      "in another charset",
      { "content-type": "application/json; charset=utf-16" },
      HELLO_JSON,
      415,
      { message: expect.stringContaining("charset=utf-16"), code: "unsupported_media_type" },
    ],
    [
      "in another coding",
      { "content-encoding": "compress" },
      HELLO_JSON,
      415,
      { message: 'content-encoding must be gzip, deflate or br, but is "compress"', code: "unsupported_media_type" },
    ],
    [
      "in two codings",
      { "content-encoding": "gzip, br" },
      HELLO_JSON,
      415,
      { message: 'content-encoding must be gzip, deflate or br, but is "gzip, br"', code: "unsupported_media_type" },
    ],
    [
      "in no gzip",
      { "content-encoding": "gzip" },
      HELLO_JSON,
      400,
      { message: "the body is not valid gzip", code: null },
    ],
    [
      "in half a gzip",
      { "content-encoding": "gzip" },
      zlib.gzipSync(HELLO_JSON).subarray(0, 20),
      400,
      { message: "the body is not valid gzip", code: null },
    ],
    ["in no br", { "content-encoding": "br" }, HELLO_JSON, 400, { message: "the body is not valid br", code: null }],
    ["that is empty", {}, "", 400, { message: "the body is empty; it must be a JSON object", code: null }],
    [
      "that is empty once unpacked",
      { "content-encoding": "gzip" },
      zlib.gzipSync(""),
      400,
      { message: "the body is empty; it must be a JSON object", code: null },
    ],
    ["a byte too long", {}, HELLO_JSON.padEnd(MEBIBYTE + 1), 413, TOO_LARGE],
    ["a byte too long, in chunks", { "transfer-encoding": "chunked" }, HELLO_JSON.padEnd(MEBIBYTE + 1), 413, TOO_LARGE],
    [
      "that is small, and unpacks to 64 MiB",
      { "content-encoding": "gzip" },
      zlib.gzipSync(Buffer.alloc(64 * MEBIBYTE)),
      413,
      { message: "the body is longer than 1048576 bytes when it is unpacked", code: "request_too_large" },
    ],
    ["that is no JSON", {}, "{", 400, { type: "invalid_request_error", code: null }],
    ["that is no object", {}, "[]", 400, { type: "invalid_request_error" }],
  ])("is refused %s", async (_, headers, body, status, error) => {
    const { port, exchanges } = await startRest({});
    const answer = await send(port, { method: "POST", path: CHAT, headers, body });
    expect([answer.status, answer.json]).toEqual([status, { error: expect.objectContaining(error) }]);
    expect(Object.keys((answer.json as { error: object }).error)).toEqual(["message", "type", "param", "code"]);
    expect(exchanges[0]!.log.error?.row.httpStatus).toBe(status);
  });

  it("is refused where there is none at all", async () => {
    const { port } = await startRest({});
    const answer = await send(port, { method: "POST", path: CHAT });
    expect([answer.status, answer.json]).toMatchObject([
      400,
      { error: { message: "the body is empty; it must be a JSON object" } },
    ]);
  });
});

/** Connects, and collects what comes back. */
async function connect(port: number) {
  const socket = net.connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  await new Promise((resolve) => socket.once("connect", resolve));
  return {
    socket,
    /** Writes, and waits until the system has taken it. */
    write: (data: string | Buffer) =>
      new Promise<void>((resolve, reject) => void socket.write(data, (error) => (error ? reject(error) : resolve()))),
    /** Waits until the pattern has come. */
    async waitFor(pattern: RegExp): Promise<string> {
      while (!pattern.test(text)) await new Promise((resolve) => socket.once("data", resolve));
      return text;
    },
  };
}

const ANSWER_413 = /^HTTP\/1\.1 413 .*\r\n\r\n\{"error":.*"request_too_large"\}\}/s;
const ANSWER_200 = /HTTP\/1\.1 200 /;

describe("a body with images", () => {
  const image = `data:image/png;base64,${randomBytes(1_500_000).toString("base64")}`;
  const text = "é😀 Hello";
  const body = JSON.stringify({
    model: "auto",
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text },
          { type: "image_url", image_url: { url: image } },
          { type: "image_url", image_url: { url: image } },
        ],
      },
    ],
  });
  const IMAGE = { kind: { case: "imageUrl", value: { url: image } } };

  it.each<[how: string, h2c: boolean, headers: Record<string, string>]>([
    ["whose length is announced", false, {}],
    ["in chunks", false, { "transfer-encoding": "chunked" }],
    ["over HTTP/2, whose length is announced", true, { "content-length": String(Buffer.byteLength(body)) }],
    ["over HTTP/2, of any length", true, {}],
  ])("is read %s", async (_how, h2c, headers) => {
    const operations = recordingOperations();
    const { port } = await startRest(operations, { h2c, maxBodyBytes: 8 * MEBIBYTE });
    const status = h2c
      ? await sendOverHttp2(port, headers, body)
      : (await send(port, { path: CHAT, headers, body })).status;
    expect(status).toBe(200);
    const [message] = operations.created[0]?.request.params?.messages ?? [];
    expect(message?.content).toMatchObject([{ kind: { case: "text", value: text } }, IMAGE, IMAGE]);
  });

  it("is not taken for whole when its client goes away in the middle of it", async () => {
    const operations = recordingOperations();
    const { port, exchanges } = await startRest(operations, { maxBodyBytes: 8 * MEBIBYTE });
    const client = await connect(port);
    await client.write(`POST ${CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`);
    await client.write(body.slice(0, 2 * MEBIBYTE));
    await expect.poll(() => exchanges.length).toBe(1);
    client.socket.destroy();
    await exchanges[0]!.handled;
    expect([exchanges[0]!.log.error?.reason, operations.created]).toEqual([Reason.CANCELLED, []]);
  });
});

async function sendOverHttp2(port: number, headers: Record<string, string>, body: string): Promise<number | undefined> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => void session.destroy());
  const stream = session.request({ ":method": "POST", ":path": CHAT, ...headers });
  stream.end(body);
  const [answered] = (await once(stream, "response")) as [http2.IncomingHttpStatusHeader];
  stream.resume();
  return answered[":status"];
}

describe("a body that is too long", () => {
  it("is refused by its announced length, before any of it came", async () => {
    const { port } = await startRest({});
    const client = await connect(port);
    await client.write(`POST ${CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: 41943040\r\n\r\n`);
    expect(await client.waitFor(ANSWER_413)).toMatch(ANSWER_413);
  });

  it("is refused to a client that reads nothing before it has written all", async () => {
    const { port } = await startRest({});
    const client = await connect(port);
    client.socket.pause();
    const body = Buffer.alloc(40 * MEBIBYTE, " ");
    await client.write(`POST ${CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n`);
    await client.write(body);
    client.socket.resume();
    expect(await client.waitFor(ANSWER_413)).toMatch(ANSWER_413);
    // The connection is good for the next request.
    await client.write(`POST ${CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: 41943040\r\n\r\n`);
    expect(await client.waitFor(/413.*413/s)).toMatch(/413.*413/s);
  });

  it("is refused while it comes in chunks, also to a client that wants the connection closed", async () => {
    const { port } = await startRest({});
    const client = await connect(port);
    client.socket.pause();
    const chunk = Buffer.from(`100000\r\n${" ".repeat(MEBIBYTE)}\r\n`);
    await client.write(`POST ${CHAT} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n`);
    for (let sent = 0; sent < 24; sent++) await client.write(chunk);
    await client.write("0\r\n\r\n");
    client.socket.resume();
    expect(await client.waitFor(ANSWER_413)).toMatch(ANSWER_413);
    expect(await client.waitFor(/connection: close/i)).toMatch(ANSWER_413);
  });

  it("is refused to fetch()", async () => {
    const { port } = await startRest({});
    const response = await fetch(`http://127.0.0.1:${port}${CHAT}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: Buffer.alloc(40 * MEBIBYTE, " "),
    });
    expect([response.status, await response.json()]).toEqual([413, { error: TOO_LARGE }]);
  });

  it("is read up to its end behind other refusals too", async () => {
    const { port } = await startRest(recordingOperations());
    const client = await connect(port);
    client.socket.pause();
    await client.write(`POST /nope HTTP/1.1\r\nhost: x\r\ncontent-length: ${20 * MEBIBYTE}\r\n\r\n`);
    await client.write(Buffer.alloc(20 * MEBIBYTE, " "));
    await client.write("GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n");
    client.socket.resume();
    expect(await client.waitFor(ANSWER_200)).toMatch(/^HTTP\/1\.1 404 .*HTTP\/1\.1 200 /s);
  });
});

describe("a client that goes away while it sends", () => {
  it("gets no answer, and counts as cancelled", async () => {
    const operations = recordingOperations();
    const { port, exchanges } = await startRest(operations);
    const client = await connect(port);
    await client.write(`POST ${CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"model":`);
    await expect.poll(() => exchanges.length).toBe(1);
    client.socket.destroy();
    await exchanges[0]!.handled;
    expect(exchanges[0]!.log.error?.reason).toBe(Reason.CANCELLED);
    expect(exchanges[0]!.response.headersSent).toBe(false);
    expect(operations.created).toEqual([]);
  });
});
