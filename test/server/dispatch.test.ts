/** What every exchange has, whatever it is for: an id, and a line in the log. With a whole gateway behind the port. */
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";

const SECRET = "a prompt that nobody may read";
const chatBody = (extra: object = {}): string =>
  JSON.stringify({ model: "sandbox/echo", messages: [{ role: "user", content: SECRET }], ...extra });
const CHAT = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n";
const chat = (body: string, headers = ""): string =>
  `${CHAT}${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const get = (path: string, headers = ""): string => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n`;

/** Sends text on a connection of its own, and gives the answer when it has the pattern. */
async function exchange(gateway: TestGateway, text: string, pattern = /\r\n\r\n/): Promise<string> {
  const socket = net.connect(gateway.address.port, "127.0.0.1").setEncoding("latin1");
  socket.write(text);
  let received = "";
  for await (const part of socket) {
    received += part;
    if (pattern.test(received)) break;
  }
  return received;
}

describe("one port with a gateway behind it", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({
      limits: { maxBodyBytes: 4096 },
      cors: { allowedOrigins: ["https://a.example"] },
    });
  });
  afterAll(() => gateway.stop());

  const lineOf = (id: string): Promise<Record<string, unknown>> =>
    vi.waitFor(() => {
      const lines = gateway.lines.filter((line) => line["requestId"] === id);
      expect(lines).toHaveLength(1);
      return lines[0] as Record<string, unknown>;
    });

  it.each<[what: string, id: string, text: string, status: number, line: object]>([
    ["an answer", "id-1", chat(chatBody(), "x-request-id: id-1\r\n"), 200, { operation: "CreateChatCompletion" }],
    [
      "a stream",
      "id-2",
      chat(chatBody({ stream: true }), "x-request-id: id-2\r\n"),
      200,
      { operation: "StreamChatCompletion" },
    ],
    ["JSON that is none", "id-3", chat(`{"${SECRET}`, "x-request-id: id-3\r\n"), 400, { reason: "INVALID_JSON" }],
    [
      "a value that is refused",
      "id-4",
      chat(chatBody({ temperature: 9 }), "x-request-id: id-4\r\n"),
      400,
      { reason: "INVALID_VALUE" },
    ],
    ["an unknown path", "id-5", get("/nope", "x-request-id: id-5\r\n"), 404, { reason: "UNKNOWN_URL" }],
    [
      "a wrong method",
      "id-6",
      get("/v1/chat/completions", "x-request-id: id-6\r\n"),
      405,
      { path: "/v1/chat/completions" },
    ],
    ["a long body", "id-7", chat("x".repeat(5000), "x-request-id: id-7\r\n"), 413, { reason: "REQUEST_TOO_LARGE" }],
    [
      "a wrong type",
      "id-8",
      chat(chatBody(), "x-request-id: id-8\r\ncontent-type: text/plain\r\n"),
      415,
      { reason: "UNSUPPORTED_MEDIA_TYPE" },
    ],
    [
      "OPTIONS",
      "id-9",
      "OPTIONS /v1/models HTTP/1.1\r\nhost: localhost\r\nx-request-id: id-9\r\n\r\n",
      204,
      { method: "OPTIONS" },
    ],
    [
      "a preflight",
      "id-10",
      "OPTIONS /v1/models HTTP/1.1\r\nhost: localhost\r\nx-request-id: id-10\r\norigin: https://a.example\r\naccess-control-request-method: GET\r\n\r\n",
      204,
      { method: "OPTIONS" },
    ],
    [
      "a provider's fault",
      "id-11",
      chat(chatBody({ model: "sandbox/fault-500" }), "x-request-id: id-11\r\n"),
      500,
      { reason: "UPSTREAM_ERROR", level: "warn" },
    ],
    ["no host", "id-12", "GET / HTTP/1.1\r\nx-request-id: id-12\r\n\r\n", 400, { msg: "refused" }],
  ])("gives %s the client's id and one line in the log", async (_what, id, text, status, line) => {
    const received = await exchange(gateway, text);
    expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(received.match(/^x-request-id: .*$/gm)).toEqual([`x-request-id: ${id}`]);
    const logged = await lineOf(id);
    expect(logged).toMatchObject({ status, msg: "call", ...line });
    expect(JSON.stringify(logged)).not.toContain(SECRET);
  });

  it.each([
    ["two words", "a b"],
    ["a quote", 'a"b'],
    ["129 characters", "x".repeat(129)],
    ["nothing", ""],
  ])("makes an id in place of one of %s", async (_what, given) => {
    const received = await exchange(gateway, get("/nope", `x-request-id: ${given}\r\n`));
    const [, id = ""] = /^x-request-id: (req_\w{28})\r$/m.exec(received) ?? [];
    expect(await lineOf(id)).toMatchObject({ status: 404 });
  });

  it("logs what is not HTTP under the id that its refusal has", async () => {
    const received = await exchange(gateway, "nonsense\r\n\r\n");
    const [, id = ""] = /^x-request-id: (req_\w{28})\r$/m.exec(received) ?? [];
    expect(await lineOf(id)).toMatchObject({ status: 400, msg: "refused" });
  });

  it.each([
    "/healthz",
    "/readyz",
    "/readyz?x=1",
    "http://proxied.example/healthz",
  ])("answers the probe %s", async (path) => {
    const received = await exchange(gateway, get(path, "x-request-id: probe\r\n"), /\}$/);
    expect(received).toMatch(/^HTTP\/1.1 200 OK\r\nx-request-id: probe\r\n.*\r\n\r\n\{"status":"ok"\}$/s);
    expect(gateway.lines.filter((line) => line["requestId"] === "probe")).toEqual([]);
  });

  it("does not log an answer as whole whose client resets it, also for no reason", async () => {
    const session = http2.connect(gateway.url);
    const stream = session.request({ ":method": "POST", ":path": "/v1/chat/completions", "x-request-id": "reset" });
    stream.end(chatBody({ model: "sandbox/fault-stall", stream: true }));
    await once(stream, "data");
    stream.close(http2.constants.NGHTTP2_NO_ERROR);
    expect(await lineOf("reset")).toMatchObject({ reason: "CANCELLED" });
    session.close();
  });

  it("answers HEAD of a probe without a body", async () => {
    const { status, headers, body } = await fetch(`${gateway.url}/readyz`, { method: "HEAD" });
    expect([status, headers.get("content-length"), body]).toEqual([200, "15", null]);
  });

  it("finds an rpc at a path with an authority before it, as proxies write it", async () => {
    const rpc = "http://proxied.example/parley.models.v1.ModelsService/ListModels";
    const received = await exchange(
      gateway,
      `POST ${rpc} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`,
      /sandbox\/echo/,
    );
    expect(received).toMatch(/^HTTP\/1.1 200 OK/);
  });
});

describe("/readyz of a server that was told to stop", () => {
  it("is 503 on a connection that is still open, and the last answer on it", async () => {
    const gateway = await startTestGateway();
    const stalled = chat(chatBody({ model: "sandbox/fault-stall", stream: true }), "x-parley-timeout-ms: 700\r\n");
    const socket = net.connect(gateway.address.port, "127.0.0.1").setEncoding("latin1");
    socket.write(stalled);
    await new Promise((resolve) => void socket.once("data", resolve));
    let received = "";
    socket.on("data", (part) => {
      received += part;
    });
    const stopped = gateway.stop();
    socket.write(get("/readyz"));
    await stopped;
    expect(received).toMatch(/HTTP\/1.1 503 .*\r\nConnection: close\r\n.*\{"status":"not ready"\}$/s);
  });
});
