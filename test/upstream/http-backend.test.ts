import { getEventListeners } from "node:events";
import { gzipSync } from "node:zlib";
import { create } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { type ChatCompletionChunk, ChatCompletionChunkSchema } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { UsageSource } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { ModelSchema } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import { feedOf } from "../../src/lib/feed.ts";
import type { MediumRef } from "../../src/providers/provider.ts";
import { errorFields } from "../../src/telemetry/error-fields.ts";
import type { Backend, ChunkBatch } from "../../src/upstream/backend.ts";
import { collect, failureOf, until } from "../support/collect.ts";
import { eventStream, events, json, type Reply, startUpstream, type Upstream } from "../support/upstream.ts";
import { openTinyBackend, paramsOf, planOf } from "./support/tiny-backend.ts";
import { KEY, saidBy, textsOf } from "./support/tiny-provider.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const it of opened.splice(0).reverse()) await it.close();
});

type Parts = Parameters<typeof openTinyBackend>[1];

/** A backend of an upstream that answers so. */
async function open(
  reply: Reply | (() => Reply),
  parts: Parts = {},
): Promise<{ upstream: Upstream; backend: Backend }> {
  const upstream = await startUpstream(typeof reply === "function" ? reply : () => reply);
  const backend = openTinyBackend(upstream.url, parts);
  opened.push(upstream, backend);
  return { upstream, backend };
}

const unaborted = (): AbortSignal => new AbortController().signal;

/** What a stream yields, each batch as the texts in it, and what it fails with. */
async function readStream(backend: Backend, signal = unaborted()) {
  const batches: ChunkBatch[] = [];
  const read = async (): Promise<undefined> => {
    for await (const batch of planOf(backend, true).stream(signal)) batches.push(batch);
  };
  const error: unknown = await read().catch((thrown: unknown) => thrown);
  return { batches: batches.map(textsOf), texts: batches.flatMap(textsOf), error };
}

/** A body that comes as one, whatever the pieces. */
const atOnce = (...pieces: readonly string[]): Reply => ({
  headers: { "content-type": "text/event-stream", "content-length": String(Buffer.byteLength(pieces.join(""))) },
  pieces: [pieces.join("")],
});

const inJson = (body: string): Reply => ({ headers: { "content-type": "application/json" }, pieces: [body] });

const text = (word: string): string => JSON.stringify({ text: word });
const ERROR = '{"error":{"message":"no more","code":"busy"}}';

describe("createHttpBackend()", () => {
  it("has the provider's id, its listed models, and takes every name", async () => {
    const models = [create(ModelSchema, { id: "small" })];
    const { backend } = await open(json({}), { models: { models: () => models } });
    expect([backend.id, backend.usageSource, backend.has("unlisted/model"), backend.has("")]).toEqual([
      "tiny",
      UsageSource.PROVIDER,
      true,
      false,
    ]);
    expect(backend.models()).toBe(models);
  });

  it("tells for signals who serves it, and where", async () => {
    const { backend, upstream } = await open(json({}));
    const { hostname, port } = new URL(upstream.url);
    expect([backend.vendor, backend.networked, backend.address]).toEqual([
      "generic",
      true,
      { host: hostname, port: Number(port) },
    ]);
  });

  it("asks once what a model can do, and keeps no more names than it may", async () => {
    const asked: string[] = [];
    const abilitiesOf = (model: string) => {
      asked.push(model);
      return { tools: model === "small" };
    };
    const { backend } = await open(json({}), { abilitiesOf });
    expect([backend.abilitiesOf("small"), backend.abilitiesOf("other")]).toEqual([{ tools: true }, { tools: false }]);
    expect(backend.abilitiesOf("small")).toEqual({ tools: true });
    expect(asked).toEqual(["small", "other"]);
    for (let at = 0; at < 1_000; at++) backend.abilitiesOf(`m${at}`);
    backend.abilitiesOf("small");
    expect(asked.filter((model) => model === "small")).toHaveLength(2);
    const long = "m".repeat(10_000);
    expect([backend.abilitiesOf(long), backend.abilitiesOf(long)]).toEqual([{ tools: false }, { tools: false }]);
    expect(asked.filter((model) => model === long)).toHaveLength(2);
    expect(backend.abilitiesOf("")).toEqual({ tools: false });
  });

  it("answers in one piece", async () => {
    const { backend, upstream } = await open(json({ text: "hello" }));
    const plan = planOf(backend, false);
    expect(upstream.connections).toBe(0);
    expect(saidBy(await plan.complete(unaborted()))).toBe("hello");
    const [request] = upstream.requests;
    expect(request).toMatchObject({ method: "POST", path: "/chat", headers: { accept: "application/json" } });
    expect(JSON.parse(request?.body ?? "")).toEqual({ model: "small", stream: false, pictures: [] });
    expect([plan.adjustments, plan.promptTokens]).toEqual([[], undefined]);
  });

  it("answers piece by piece", async () => {
    const { backend, upstream } = await open(eventStream(events(text("a"), text("b"), "[DONE]")));
    const { texts, error } = await readStream(backend);
    expect([texts, error]).toEqual([["a", "b"], undefined]);
    expect(upstream.requests[0]).toMatchObject({ headers: { accept: "text/event-stream, application/json" } });
  });

  it("makes chunks of a whole answer that comes where a stream was asked for", async () => {
    const { backend } = await open(inJson('\ufeff {\n  "text": "é😀 {[\\"" }\n'));
    const { texts, error } = await readStream(backend);
    expect([texts, error]).toEqual([['é😀 {["', undefined, undefined], undefined]);
  });

  it("yields all chunks of a piece at once, and nothing for a sign of life", async () => {
    const pieces = async function* () {
      yield events(text("a"), text("b")).join("");
      await until(() => seen.length === 1, "the first batch is read");
      yield ": still here\n\n";
      await until(() => seen.length === 2, "the second batch is read");
      yield events(text("c"), "[DONE]").join("");
    };
    const { backend } = await open({ ...eventStream([]), pieces: pieces() });
    const seen: unknown[] = [];
    const feed = feedOf(planOf(backend, true).stream(unaborted()));
    for (;;) {
      await feed.ready();
      const batch = feed.take();
      if (batch === undefined) break;
      seen.push(textsOf(batch));
    }
    expect(seen).toEqual([["a", "b"], [], ["c"]]);
  });

  it.each([
    ["LF", "\n"],
    ["CRLF", "\r\n"],
  ])("makes the same of a stream with %s, in pieces of a byte", async (_name, end) => {
    const body = Buffer.from(
      `: hi${end}${end}data:${text("é😀")}${end}${end}event: x${end}data: ${text("b")}${end}${end}data: [DONE]`,
    );
    const { backend } = await open(eventStream([...body].map((byte) => Uint8Array.of(byte))));
    const { texts, error } = await readStream(backend);
    expect([texts, error]).toEqual([["é😀", "b"], undefined]);
  });

  it("reads a stream that is of no known type, and one that is compressed", async () => {
    const body = events(text("a"), "[DONE]").join("");
    const plain = await open({ headers: { "content-type": "text/plain" }, pieces: [body] });
    expect(await readStream(plain.backend)).toMatchObject({ texts: ["a"], error: undefined });
    const packed = await open({ headers: { "content-encoding": "gzip" }, pieces: [gzipSync(body)] });
    expect(await readStream(packed.backend)).toMatchObject({ texts: ["a"], error: undefined });
  });
});

const html: Reply = { headers: { "content-type": "text/html; charset=utf-8" }, pieces: ["<h1>502</h1>"] };
const { UPSTREAM_INVALID_RESPONSE, UPSTREAM_STREAM_INTERRUPTED, UPSTREAM_UNREACHABLE, OVERLOADED } = Reason;

/** Answers that are none, to a call that wants one piece: the reason and the message. */
const WHOLE_FAULTS: readonly (readonly [string, Reply, Reason, RegExp])[] = [
  ["a page in HTML", html, UPSTREAM_INVALID_RESPONSE, /HTML/],
  ["an event stream", eventStream(events(text("a"))), UPSTREAM_INVALID_RESPONSE, /an event stream/],
  ["an empty body", { pieces: [] }, UPSTREAM_INVALID_RESPONSE, /an empty body/],
  ["no content", { status: 204 }, UPSTREAM_INVALID_RESPONSE, /an empty body/],
  ["no JSON", { pieces: ["hello"] }, UPSTREAM_INVALID_RESPONSE, /no JSON/],
  ["half a JSON", { pieces: ['{"te'] }, UPSTREAM_INVALID_RESPONSE, /no JSON/],
  ["a body that is cut", { pieces: ['{"te'], ending: "reset" }, UPSTREAM_INVALID_RESPONSE, /cut/],
  [
    "a body in an unknown encoding",
    { headers: { "content-encoding": "zip" }, pieces: ["x"] },
    UPSTREAM_INVALID_RESPONSE,
    /encoding/,
  ],
  ["an error with a success", json(JSON.parse(ERROR)), OVERLOADED, /^tiny is overloaded$/],
  ["a redirection", { status: 307, headers: { location: "http://a.invalid" } }, UPSTREAM_INVALID_RESPONSE, /HTTP 307/],
  ["nothing", { status: "none", ending: "reset" }, UPSTREAM_UNREACHABLE, /^tiny could not be reached/],
];

/** Answers that are no stream: the texts that come before the fault, its reason and its message. */
const STREAM_FAULTS: readonly (readonly [string, Reply, readonly string[], Reason, RegExp])[] = [
  ["a page in HTML", html, [], UPSTREAM_INVALID_RESPONSE, /HTML/],
  ["an error in JSON", json(JSON.parse(ERROR)), [], OVERLOADED, /^tiny is overloaded$/],
  ["half an answer in JSON", inJson('{"text":"a"'), [], UPSTREAM_STREAM_INTERRUPTED, /ended before/],
  ["nothing where JSON was to come", inJson(""), [], UPSTREAM_STREAM_INTERRUPTED, /ended before/],
  ["JSON that is no answer", json({}), [], UPSTREAM_INVALID_RESPONSE, /./],
  ["a text of JSON", inJson('"a"'), [], UPSTREAM_INVALID_RESPONSE, /no JSON object/],
  ["two answers in JSON", inJson('{"text":"a"} {"text":"b"}'), [], UPSTREAM_INVALID_RESPONSE, /no JSON object/],
  ["an empty body", eventStream([]), [], UPSTREAM_STREAM_INTERRUPTED, /ended before/],
  ["an error as the first event", eventStream(events(ERROR)), [], OVERLOADED, /^tiny is overloaded$/],
  ["an error as a later event", eventStream(events(text("a"), ERROR)), ["a"], OVERLOADED, /^tiny is overloaded$/],
  [
    "an error in a piece with chunks",
    atOnce(...events(text("a"), text("b"), ERROR, text("c"))),
    ["a", "b"],
    OVERLOADED,
    /^tiny is/,
  ],
  [
    "no JSON in the middle",
    atOnce(...events(text("a"), "{nonsense", text("b"))),
    ["a"],
    UPSTREAM_INVALID_RESPONSE,
    /no JSON/,
  ],
  ["no end", eventStream(events(text("a"))), ["a"], UPSTREAM_STREAM_INTERRUPTED, /ended before/],
  [
    "half an event at its end",
    eventStream([...events(text("a")), 'data: {"te']),
    ["a"],
    UPSTREAM_STREAM_INTERRUPTED,
    /ended before/,
  ],
  [
    "half of the last word",
    eventStream([...events(text("a")), "data: [DO"]),
    ["a"],
    UPSTREAM_STREAM_INTERRUPTED,
    /ended before/,
  ],
  [
    "a last event without an end, and no more",
    eventStream([`data: ${text("a")}`]),
    ["a"],
    UPSTREAM_STREAM_INTERRUPTED,
    /ended before/,
  ],
  [
    "a reset in the middle",
    eventStream(events(text("a")), "reset"),
    ["a"],
    UPSTREAM_STREAM_INTERRUPTED,
    /ended before/,
  ],
  [
    "a close in the middle",
    eventStream(events(text("a")), "close"),
    ["a"],
    UPSTREAM_STREAM_INTERRUPTED,
    /ended before/,
  ],
  ["a reset before it", { status: "none", ending: "reset" }, [], UPSTREAM_UNREACHABLE, /^tiny could not be reached/],
  ["a line of more than 32 MiB", eventStream(long(), "hold"), [], UPSTREAM_INVALID_RESPONSE, /33554432 bytes/],
];

function* long(): Generator<string> {
  yield "data: ";
  for (let size = 0; size < 34; size++) yield "x".repeat(1024 * 1024);
}

describe("an upstream's answer that is none", () => {
  it.each(WHOLE_FAULTS)("is an error: %s", async (_what, reply, reason, message) => {
    const { backend } = await open(reply);
    const signal = unaborted();
    const error = await failureOf(planOf(backend, false).complete(signal));
    expect(error).toMatchObject({ name: "GatewayError", reason, message: expect.stringMatching(message) });
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(JSON.stringify(errorFields(error))).not.toContain(KEY);
  });

  it.each(
    STREAM_FAULTS,
  )("is an error of a stream, after what came: %s", async (_what, reply, before, reason, message) => {
    const { backend } = await open(reply);
    const signal = unaborted();
    const { texts, error } = await readStream(backend, signal);
    expect(texts).toEqual(before);
    expect(error).toMatchObject({ name: "GatewayError", reason, message: expect.stringMatching(message) });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it.each([
    ["whole", {}],
    ["cut", { ending: "reset" }],
    ["of another length than it says", { headers: { "content-length": "999" }, ending: "close" }],
    ["stalled", { ending: "hold" }],
    ["compressed", { headers: { "content-encoding": "gzip" }, pieces: [gzipSync(ERROR)] }],
    ["in HTML", { pieces: ["<html>busy</html>"] }],
    ["in an unknown encoding", { headers: { "content-encoding": "zip" }, pieces: ["\0\x01\x02"] }],
    ["empty", { pieces: [] }],
    ["without an end", { pieces: [`{"error":{"message":"`, "x".repeat(200_000)], ending: "hold" }],
  ] as const)("says by its status what it is, with a body that is %s", async (_what, change) => {
    const { backend } = await open({ status: 503, pieces: [ERROR], ...change });
    const signal = unaborted();
    for (const streaming of [false, true]) {
      const plan = planOf(backend, streaming);
      const error = await failureOf(streaming ? collect(plan.stream(signal)) : plan.complete(signal));
      expect(error).toMatchObject({ name: "GatewayError", reason: OVERLOADED });
    }
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe("a connection", () => {
  it("serves again after a stream that ended with its last event", async () => {
    const { backend, upstream } = await open(() => atOnce(...events(text("a"), "[DONE]")));
    for (let call = 0; call < 3; call++) {
      expect(await readStream(backend)).toMatchObject({ texts: ["a"], error: undefined });
      await until(() => upstream.requests.length === call + 1, "the call was seen");
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(upstream.connections).toBe(1);
  });

  it("serves again after a stream whose end comes later than its last event", async () => {
    let isRead = false;
    const pieces = async function* () {
      yield* events(text("a"), "[DONE]");
      await until(() => isRead, "the last event is read");
      yield ": and that was that\n\n";
    };
    const { backend, upstream } = await open(() => ({ ...eventStream([]), pieces: pieces() }));
    const first = await readStream(backend);
    isRead = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
    const second = await readStream(backend);
    expect([first.texts, second.texts, upstream.connections]).toEqual([["a"], ["a"], 1]);
  });

  it.each([
    ["does not end", events(text("a"), "[DONE]"), "hold"],
    ["goes on", [...events(text("a"), "[DONE]"), "x".repeat(300_000)], "hold"],
  ] as const)("is closed after a stream whose body %s", async (_what, pieces, ending) => {
    const { backend, upstream } = await open(eventStream(pieces, ending));
    expect(await readStream(backend)).toMatchObject({ texts: ["a"], error: undefined });
    await until(() => upstream.openConnections === 0, "the connection is closed");
  });

  it.each([
    ["an answer that can't be understood", { ...html, ending: "hold" }],
    ["an event that can't be understood", eventStream(events("{nonsense"), "hold")],
    ["an event that is an error", eventStream(events(ERROR), "hold")],
  ] as const)("is closed after %s", async (_what, reply) => {
    const { backend, upstream } = await open(reply);
    expect((await readStream(backend)).error).toMatchObject({ name: "GatewayError" });
    await until(() => upstream.openConnections === 0, "the connection is closed");
  });
});

describe("describe()", () => {
  it("shows the request as it is sent, without secrets", async () => {
    const endpoint = {
      query: "api-version=1&key=secret-word",
      headers: { "x-shown": "yes", "api-key": "secret-word" },
    };
    const { backend, upstream } = await open(json({ text: "a" }), { endpoint });
    const plan = planOf(backend, false);
    const described = plan.describe();
    expect(described).toMatchObject({
      method: "POST",
      url: `${upstream.url}/chat?api-version=1&key=[redacted]`,
      headers: {
        "user-agent": "parley/test",
        accept: "application/json",
        authorization: "[redacted]",
        "api-key": "[redacted]",
        "x-shown": "yes",
        "accept-encoding": "identity",
        "content-type": "application/json",
      },
    });
    expect(JSON.stringify(described)).not.toMatch(/secret-word|sk-tiny/);
    await plan.complete(unaborted());
    const { host: _, connection, "content-length": length, ...sent } = upstream.requests[0]?.headers ?? {};
    expect(Object.keys(sent).sort()).toEqual(Object.keys(described?.headers ?? {}).sort());
    expect(upstream.requests[0]?.body).toBe(described?.bodyJson);
  });

  it("hides user and password of the address", async () => {
    const backend = openTinyBackend("http://me:secret-word@127.0.0.1:1/v1", { endpoint: { secretHeaders: {} } });
    opened.push(backend);
    const described = planOf(backend, false).describe();
    expect(described).toMatchObject({ url: "http://127.0.0.1:1/v1/chat", headers: { authorization: "[redacted]" } });
  });
});

describe("media that are given by address", () => {
  const picture = paramsOf([{ kind: { case: "imageUrl", value: { url: "https://a.example/cat.png" } } }]);

  it("are refused where nothing is fetched, before anybody is called", async () => {
    const { backend, upstream } = await open(json({ text: "a" }));
    expect(() => planOf(backend, false, picture)).toThrow(
      expect.objectContaining({
        reason: Reason.UNSUPPORTED_VALUE,
        code: "invalid_image_url",
        message: expect.stringMatching(/^messages\[0\].*data URL.*media_fetch/),
        details: expect.objectContaining({ param: "messages[0].content[0].image_url.url" }),
      }) as Error,
    );
    expect(upstream.connections).toBe(0);
  });

  it("are fetched when the call is made, and not to describe it", async () => {
    const fetched: (readonly MediumRef[])[] = [];
    const media = {
      enabled: true,
      fetch: async (refs: readonly MediumRef[]) => {
        fetched.push(refs);
        return new Map(refs.map(({ url }) => [url, { mimeType: "image/png", data: "AAAA" }]));
      },
    };
    const { backend, upstream } = await open(json({ text: "a" }), { media });
    const plan = planOf(backend, false, picture);
    expect(plan.describe()?.bodyJson).toContain("[fetched from https://a.example/cat.png]");
    expect(fetched).toEqual([]);
    await plan.complete(unaborted());
    expect(fetched).toEqual([[{ url: "https://a.example/cat.png", path: "messages[0].content[0].image_url.url" }]]);
    expect(upstream.requests.map(({ body }) => JSON.parse(body).pictures)).toEqual([["AAAA"]]);
  });
});

describe("what is kept of answers", () => {
  /** A recollection that writes down what it is told. */
  function record() {
    const heard: unknown[] = [];
    const restored = create(ChatCompletionParamsSchema, { messages: paramsOf().messages, user: "restored" });
    return {
      heard,
      recollection: {
        restore: () => restored,
        remember: (provider: string, completion: Parameters<typeof saidBy>[0]) =>
          void heard.push([provider, saidBy(completion)]),
        listen: (provider: string) => ({
          push: (chunk: ChatCompletionChunk) => void heard.push([provider, ...textsOf([chunk])]),
          finish: () => void heard.push("whole"),
        }),
      },
    };
  }

  it("is a whole answer", async () => {
    const { heard, recollection } = record();
    const { backend } = await open(json({ text: "a" }), { recollection: { of: () => recollection } });
    await planOf(backend, false).complete(unaborted());
    expect(heard).toEqual([["tiny", "a"]]);
  });

  it("is every chunk of a stream, before anybody changes it, and its end", async () => {
    const { heard, recollection } = record();
    const { backend } = await open(atOnce(...events(text("a"), text("b"), "[DONE]")), {
      recollection: { of: () => recollection },
    });
    for await (const batch of planOf(backend, true).stream(unaborted()))
      for (const chunk of batch) Object.assign(chunk, create(ChatCompletionChunkSchema));
    expect(heard).toEqual([["tiny", "a"], ["tiny", "b"], "whole"]);
  });

  it("has no end where the stream had none", async () => {
    const { heard, recollection } = record();
    const { backend } = await open(eventStream(events(text("a"))), { recollection: { of: () => recollection } });
    await readStream(backend);
    expect(heard).toEqual([["tiny", "a"]]);
  });

  it("is put back into the parameters of the call", async () => {
    const { recollection } = record();
    const seen: unknown[] = [];
    const models = { models: () => [] };
    const { backend } = await open(json({ text: "a" }), {
      models,
      recollection: {
        of: (tenant) => ({
          ...recollection,
          restore(provider, params) {
            seen.push([tenant, provider, params.user]);
            return recollection.restore();
          },
        }),
      },
    });
    planOf(backend, false);
    expect(seen).toEqual([["", "tiny", undefined]]);
  });
});
