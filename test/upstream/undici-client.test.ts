import { getEventListeners, once } from "node:events";
import { readFileSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { constants, createGzip, gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import type { Endpoint, WireRequest } from "../../src/providers/provider.ts";
import { errorFields } from "../../src/telemetry/error-fields.ts";
import type { UpstreamAnswer, UpstreamClient } from "../../src/upstream/client.ts";
import { createUpstreamClient, type UpstreamClientOptions } from "../../src/upstream/undici-client.ts";
import { failureOf, until } from "../support/collect.ts";
import {
  json,
  type Reply,
  startUpstream,
  type Upstream,
  type UpstreamOptions,
  type UpstreamRequest,
} from "../support/upstream.ts";
import { endpointAt, KEY } from "./support/tiny-provider.ts";

const fixture = (name: string): string =>
  readFileSync(new URL(`../server/fixtures/localhost-${name}.pem`, import.meta.url), "utf8");
const TLS = { key: fixture("key"), cert: fixture("cert") };
const POST: WireRequest = { method: "POST", path: "/chat", body: '{"a":1}' };
const GET: WireRequest = { method: "GET", path: "/models" };

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const it of opened.splice(0).reverse()) await it.close();
});

function open(options: Partial<UpstreamClientOptions> = {}): UpstreamClient {
  const client = createUpstreamClient({ userAgent: "parley/test", ...options });
  opened.push(client);
  return client;
}

async function start(
  answer: Reply | ((request: UpstreamRequest) => Reply | Promise<Reply>),
  options?: UpstreamOptions,
): Promise<Upstream> {
  const upstream = await startUpstream(typeof answer === "function" ? answer : () => answer, options);
  opened.push(upstream);
  return upstream;
}

const unaborted = (): AbortSignal => new AbortController().signal;
const providerAt = (url: string, change?: Partial<Endpoint>) => ({ id: "tiny", endpoint: endpointAt(url, change) });

/** Sends a request to an address, and waits for the head of the answer. */
const send = (
  client: UpstreamClient,
  url: string,
  request: WireRequest = POST,
  signal: AbortSignal = unaborted(),
  change?: Partial<Endpoint>,
): Promise<UpstreamAnswer> => client.request(providerAt(url, change), request, signal);

/** Its whole text, whether that is there or is waited for. */
const textOf = async (answer: UpstreamAnswer, maxBytes: number): Promise<string> => answer.text(maxBytes);

/** Everything of an error that comes to be read by anybody. */
const shown = (thrown: unknown): string =>
  JSON.stringify([thrown instanceof GatewayError ? thrown.message : "", errorFields(thrown)]);

/** An address at which nobody listens. */
async function deserted(): Promise<string> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}`;
}

describe("the client's requests", () => {
  it("carry the endpoint's headers, and what is its own", async () => {
    const upstream = await start(json({}));
    const endpoint = { query: "api-version=1", headers: { "x-shown": "yes" } };
    const answer = await send(
      open(),
      `${upstream.url}/v1`,
      { ...POST, headers: { accept: "a/b" } },
      unaborted(),
      endpoint,
    );
    await answer.text(100);
    expect(upstream.requests).toEqual([
      expect.objectContaining({
        method: "POST",
        path: "/v1/chat?api-version=1",
        body: '{"a":1}',
        headers: {
          host: new URL(upstream.url).host,
          connection: "keep-alive",
          "user-agent": "parley/test",
          authorization: `Bearer ${KEY}`,
          accept: "a/b",
          "x-shown": "yes",
          "accept-encoding": "identity",
          "content-type": "application/json",
          "content-length": "7",
        },
      }),
    ]);
  });

  it.each([
    ["/v1", "", "/models", "/v1/models"],
    ["/v1", "a=1", "/models", "/v1/models?a=1"],
    ["/v1", "a=1", "/models?page=2", "/v1/models?page=2&a=1"],
    ["", "", "/models", "/models"],
    ["/v1/", "", "/models", "/v1/models"],
  ])("go below the base %j with the query %j: %s", async (base, query, path, whole) => {
    const upstream = await start(json({}));
    const answer = await send(open(), upstream.url + base, { ...GET, path }, unaborted(), { query });
    await answer.text(100);
    const [request] = upstream.requests;
    expect([request?.method, request?.path, request?.body, request?.headers["content-type"]]).toEqual([
      "GET",
      whole,
      "",
      undefined,
    ]);
  });

  it.each([
    ["its user and password", {}, `Basic ${Buffer.from("me:p@ss").toString("base64")}`],
    ["its own authorization, before them", { authorization: "Bearer b" }, "Bearer b"],
  ])("have %s of the base's address", async (_what, secretHeaders, authorization) => {
    const upstream = await start(json({}));
    const url = upstream.url.replace("//", "//me:p%40ss@");
    await (await send(open(), url, POST, unaborted(), { secretHeaders })).text(100);
    expect(upstream.requests[0]?.headers.authorization).toBe(authorization);
  });

  it("go over one connection, one after the other", async () => {
    const upstream = await start(json({ text: "hello" }));
    const client = open();
    for (let call = 0; call < 3; call++) {
      await (await send(client, upstream.url)).text(100);
      await nextTurn(); // The client gives a server that closes after all the chance to do so.
    }
    expect(upstream.requests.map(({ connection }) => connection)).toEqual([0, 0, 0]);
  });

  it("go over a connection each when they run at once, and wait where there are no more", async () => {
    const upstream = await start(json({}));
    const client = open({ maxConnectionsPerOrigin: 2 });
    const texts = [1, 2, 3, 4].map(async () => (await send(client, upstream.url)).text(100));
    expect(await Promise.all(texts)).toEqual(["{}", "{}", "{}", "{}"]);
    expect(upstream.connections).toBe(2);
  });
});

describe("the client's answers", () => {
  it("have a status, headers and the time at which they came", async () => {
    const upstream = await start({
      status: 429,
      headers: { "Retry-After": "3", "set-cookie": "a=1" },
      pieces: ["slow ", "down"],
    });
    const before = Date.now();
    const answer = await send(open(), upstream.url);
    expect([answer.status, answer.ok, answer.header("retry-after"), answer.header("x-none")]).toEqual([
      429,
      false,
      "3",
      undefined,
    ]);
    expect(answer.receivedAt).toBeGreaterThanOrEqual(before);
    expect(answer.receivedAt).toBeLessThanOrEqual(Date.now());
    expect(await answer.text(100)).toBe("slow down");
  });

  it("come after interim ones", async () => {
    const early = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
    const upstream = await start({ raw: `${early}${early}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok` });
    const answer = await send(open(), upstream.url);
    expect([answer.status, answer.header("link"), await answer.text(100)]).toEqual([200, undefined, "ok"]);
  });

  it.each([301, 302, 303, 307, 308])("are not followed elsewhere: %i", async (status) => {
    const elsewhere = await start(json({}));
    const upstream = await start({ status, headers: { location: elsewhere.url } });
    const answer = await send(open(), upstream.url);
    await answer.text(100);
    expect([answer.status, answer.ok, elsewhere.requests.length]).toEqual([status, false, 0]);
  });

  it("are read as one piece where they came as one", async () => {
    const chunked = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
    const body = ["data: a\n\n", "data: b\n\n", "data: c\n\n"].map(chunked).join("");
    const upstream = await start({ raw: `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${body}0\r\n\r\n` });
    const pieces: string[] = [];
    for await (const piece of (await send(open(), upstream.url)).body) pieces.push(Buffer.from(piece).toString());
    expect(pieces).toEqual(["data: a\n\ndata: b\n\ndata: c\n\n"]);
  });

  it("wait for a reader that is slow", async () => {
    let written = 0;
    const upstream = await start({
      pieces: (async function* () {
        for (; written < 1_000; written++) yield Buffer.alloc(64 * 1024);
      })(),
    });
    const answer = await send(open(), upstream.url);
    await sleep(300); // For as much to come as comes without a reader.
    expect(written).toBeLessThan(900);
    let size = 0;
    for await (const piece of answer.body) size += piece.length;
    expect(size).toBe(written * 64 * 1024);
  });

  it("are refused when their body is larger than it may be", async () => {
    const upstream = await start({ pieces: ["x".repeat(1_000)], ending: "hold" });
    const answer = await send(open(), upstream.url);
    expect(await failureOf(textOf(answer, 100))).toMatchObject({ reason: Reason.UPSTREAM_INVALID_RESPONSE });
    await until(() => upstream.openConnections === 0, "the connection is closed");
  });

  it("have no byte order mark in their text", async () => {
    const upstream = await start({ pieces: ["\uFEFF{}"] });
    expect(await (await send(open(), upstream.url)).text(100)).toBe("{}");
  });

  it.each([200, 500])("are decompressed where the server compresses all the same, with status %i", async (status) => {
    const upstream = await start({ status, headers: { "content-encoding": "gzip" }, pieces: [gzipSync('{"a":1}')] });
    expect(await (await send(open(), upstream.url)).text(100)).toBe('{"a":1}');
  });

  it("are decompressed as they come", async () => {
    const gzip = createGzip();
    const flushed = async (text: string): Promise<Buffer> => {
      gzip.write(text);
      await new Promise<void>((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, resolve));
      return gzip.read() as Buffer;
    };
    const seen: string[] = [];
    const upstream = await start({
      headers: { "content-encoding": "gzip" },
      pieces: (async function* () {
        yield await flushed("one");
        await until(() => seen.length === 1, "the first piece is read before the second is written");
        yield await flushed("two");
      })(),
      ending: "hold",
    });
    for await (const piece of (await send(open(), upstream.url)).body)
      if (seen.push(Buffer.from(piece).toString()) === 2) break;
    expect(seen).toEqual(["one", "two"]);
  });
});

const RESET: Reply = { status: "none", ending: "reset" };

/** Ways in which there is no head of an answer: how it comes about, the reason, and what the message says. */
const NO_HEAD: readonly (readonly [string, () => Promise<string>, Reason, RegExp])[] = [
  ["nobody listens", deserted, Reason.UPSTREAM_UNREACHABLE, /^tiny could not be reached: nobody listens/],
  [
    "the host is not known",
    async () => "http://nowhere.invalid",
    Reason.UPSTREAM_UNREACHABLE,
    /^tiny could not be reached: its host name/,
  ],
  [
    "the connection is reset",
    async () => (await start(RESET)).url,
    Reason.UPSTREAM_UNREACHABLE,
    /^tiny could not be reached: the connection was/,
  ],
  [
    "the connection is closed",
    async () => (await start({ ...RESET, ending: "close" })).url,
    Reason.UPSTREAM_UNREACHABLE,
    /^tiny could not be reached: the connection was closed/,
  ],
  [
    "the certificate is not trusted",
    async () => (await start(json({}), { tls: TLS })).url,
    Reason.UPSTREAM_UNREACHABLE,
    /^tiny could not be reached: no TLS/,
  ],
  [
    "the server does not speak TLS",
    async () => (await start(json({}))).url.replace("http:", "https:"),
    Reason.UPSTREAM_UNREACHABLE,
    /^tiny could not be reached: no TLS/,
  ],
  [
    "the server speaks TLS alone",
    async () => (await start(json({}), { tls: TLS })).url.replace("https:", "http:"),
    Reason.UPSTREAM_UNREACHABLE,
    /^tiny could not be reached/,
  ],
  [
    "what comes is no HTTP",
    async () => (await start({ raw: "SSH-2.0-OpenSSH_9.2\r\n" })).url,
    Reason.UPSTREAM_INVALID_RESPONSE,
    /^tiny answered with what is no HTTP$/,
  ],
  [
    "the head is too large",
    async () => (await start({ headers: { "x-large": "x".repeat(100_000) } })).url,
    Reason.UPSTREAM_INVALID_RESPONSE,
    /^tiny answered with too large a head$/,
  ],
  [
    "the head is cut",
    async () => (await start({ raw: "HTTP/1.1 200 OK\r\ncontent-" })).url,
    Reason.UPSTREAM_UNREACHABLE,
    /^tiny could not be reached/,
  ],
];

describe("the client, without an answer", () => {
  it.each(NO_HEAD)("says when %s", async (_what, address, reason, message) => {
    const url = (await address()).replace("//", "//me:secret-word@");
    const signal = unaborted();
    const error = await failureOf(send(open(), url, POST, signal));
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({ reason, message: expect.stringMatching(message) });
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(shown(error)).not.toMatch(/secret-word|sk-tiny/);
  });

  it("says that a connection did not come about in time", async () => {
    // It accepts, and never says a word of TLS.
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const tlsUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const error = await failureOf(send(open({ connectTimeoutMs: 300 }), tlsUrl));
    server.close();
    expect(error).toMatchObject({
      reason: Reason.UPSTREAM_UNREACHABLE,
      message: "tiny could not be reached: no connection came about in time",
    });
  });

  it.each([
    ["a header", { secretHeaders: { authorization: `Bearer ${KEY}\n` } }, POST],
    ["a path", {}, { ...POST, path: "/a b" }],
  ])("says that %s cannot be sent, without saying it", async (_what, change, request) => {
    const upstream = await start(json({}));
    const error = await failureOf(send(open(), upstream.url, request, unaborted(), change));
    expect(error).toMatchObject({
      reason: Reason.INTERNAL,
      retryable: false,
      message: expect.stringMatching(/^the request to tiny/),
    });
    expect(shown(error)).not.toContain(KEY);
    expect(upstream.requests).toEqual([]);
  });

  it("fails when it is closed", async () => {
    const client = open();
    await client.close();
    expect(await failureOf(send(client, "http://127.0.0.1:1"))).toMatchObject({ reason: Reason.SHUTTING_DOWN });
  });
});

/** Bodies that are cut, and the reasons when they are read whole, and piece by piece. */
const CUT: readonly (readonly [string, Reply, Reason, Reason])[] = [
  [
    "reset",
    { pieces: ["half"], ending: "reset" },
    Reason.UPSTREAM_INVALID_RESPONSE,
    Reason.UPSTREAM_STREAM_INTERRUPTED,
  ],
  [
    "closed",
    { pieces: ["half"], ending: "close" },
    Reason.UPSTREAM_INVALID_RESPONSE,
    Reason.UPSTREAM_STREAM_INTERRUPTED,
  ],
  [
    "cut in the packet that has its head",
    { raw: "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf" },
    Reason.UPSTREAM_INVALID_RESPONSE,
    Reason.UPSTREAM_STREAM_INTERRUPTED,
  ],
  [
    "shorter than its length",
    { headers: { "content-length": "9" }, pieces: ["half"], ending: "close" },
    Reason.UPSTREAM_INVALID_RESPONSE,
    Reason.UPSTREAM_STREAM_INTERRUPTED,
  ],
  [
    "badly chunked",
    { raw: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n" },
    Reason.UPSTREAM_INVALID_RESPONSE,
    Reason.UPSTREAM_STREAM_INTERRUPTED,
  ],
  [
    "half a gzip",
    { headers: { "content-encoding": "gzip" }, pieces: [gzipSync("half".repeat(99)).subarray(0, 20)] },
    Reason.UPSTREAM_INVALID_RESPONSE,
    Reason.UPSTREAM_STREAM_INTERRUPTED,
  ],
  [
    "no gzip at all",
    { headers: { "content-encoding": "gzip" }, pieces: ["half"] },
    Reason.UPSTREAM_INVALID_RESPONSE,
    Reason.UPSTREAM_INVALID_RESPONSE,
  ],
];

describe("the client, with half an answer", () => {
  it.each(CUT)("says that a body is %s, of which the whole is wanted", async (_what, reply, reason) => {
    const upstream = await start(reply);
    const signal = unaborted();
    const error = await failureOf(textOf(await send(open(), upstream.url, POST, signal), 1_000));
    expect(error).toMatchObject({ name: "GatewayError", reason, message: expect.stringMatching(/^tiny /) });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it.each(CUT)("says that a body is %s, which is read piece by piece", async (_what, reply, _whole, reason) => {
    const upstream = await start(reply);
    const { body } = await send(open(), upstream.url);
    const read = async (): Promise<void> => {
      for await (const _ of body);
    };
    expect(await failureOf(read())).toMatchObject({
      name: "GatewayError",
      reason,
      message: expect.stringContaining("tiny "),
    });
  });
});
