import type http from "node:http";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import type { StreamChatCompletionResponse } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import type { FinishReason } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Adjustment_Action } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { createSource } from "./support/batch-source.ts";
import { open, readText, send } from "./support/http-client.ts";
import { HELLO, recordingOperations, streamedMessage } from "./support/operations.ts";
import { startRest } from "./support/rest-server.ts";

const CHAT = "/v1/chat/completions";
const STREAM = { ...HELLO, stream: true } as const;
const HEAD = '"object":"chat.completion.chunk","id":"chatcmpl-1","created":1700000000,"model":"auto"';
const USAGE = '"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}';
const UPSTREAM_FAILED =
  'data: {"error":{"message":"it broke","type":"server_error","param":null,"code":"upstream_error"}}\n\n';

/** The events of a whole stream: role, text, finish and usage; `usage` is what the first three end with. */
const wholeStream = (usage: string, last: string): string =>
  [
    `data: {${HEAD},"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}]${usage}}\n\n`,
    `data: {${HEAD},"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]${usage}}\n\n`,
    `data: {${HEAD},"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]${usage}}\n\n`,
    last,
    "data: [DONE]\n\n",
  ].join("");
const WITHOUT_USAGE = wholeStream("", "");
const WITH_USAGE = wholeStream(',"usage":null', `data: {${HEAD},"choices":[],${USAGE}}\n\n`);
const NO_STREAM = "json";

describe("a REST call that may stream", () => {
  type Row = [
    path: string,
    stream: boolean | undefined,
    accept: string,
    includeUsage: boolean | undefined,
    answer: string,
  ];
  it.each<Row>([
    [CHAT, undefined, "*/*", undefined, NO_STREAM],
    [CHAT, undefined, "text/event-stream", undefined, NO_STREAM],
    [CHAT, false, "text/event-stream", undefined, NO_STREAM],
    [CHAT, true, "application/json", undefined, WITHOUT_USAGE],
    [CHAT, true, "*/*", true, WITH_USAGE],
    [CHAT, true, "*/*", false, WITHOUT_USAGE],
    ["/chat/completions", undefined, "*/*", undefined, NO_STREAM],
    ["/chat/completions", true, "*/*", undefined, WITHOUT_USAGE],
    ["/chat/completions", true, "*/*", true, WITH_USAGE],
    ["/api/v1/chat/completions", undefined, "*/*", undefined, NO_STREAM],
    ["/api/v1/chat/completions", true, "application/json", undefined, WITH_USAGE],
    ["/api/v1/chat/completions", true, "*/*", true, WITH_USAGE],
    ["/api/v1/chat/completions", true, "*/*", false, WITHOUT_USAGE],
    ["/v3/ai/chat/completions", undefined, "*/*", undefined, WITH_USAGE],
    ["/v3/ai/chat/completions", undefined, "application/json", undefined, NO_STREAM],
    ["/v3/ai/chat/completions", undefined, "text/event-stream, application/json", undefined, WITH_USAGE],
    ["/v3/ai/chat/completions", undefined, "*/*", false, WITHOUT_USAGE],
    ["/v3/ai/chat_completions", undefined, "*/*", true, WITH_USAGE],
    ["/v3/ai/chat_completions", true, "application/json", undefined, WITH_USAGE],
    ["/v3/ai/chat_completions", false, "text/event-stream", undefined, NO_STREAM],
  ])("%s with stream %s, Accept: %s and include_usage %s", async (path, stream, accept, includeUsage, expected) => {
    const operations = recordingOperations();
    const { port, exchanges } = await startRest(operations);
    const body = {
      ...HELLO,
      stream,
      stream_options: includeUsage === undefined ? undefined : { include_usage: includeUsage },
    };
    const { status, headers, text } = await send(port, { path, headers: { accept }, body });
    expect(status).toBe(200);
    const streams = expected !== NO_STREAM;
    expect(headers["content-type"]).toBe(streams ? "text/event-stream; charset=utf-8" : "application/json");
    expect(text.startsWith("{") ? NO_STREAM : text).toBe(expected);
    const { created, streamed } = operations;
    expect([created, streamed].map((calls) => calls.map(({ request }) => request.params?.stream))).toEqual(
      streams ? [[], [true]] : [[false], []],
    );
    expect(exchanges[0]!.log.operation).toBe(streams ? "StreamChatCompletion" : "CreateChatCompletion");
  });

  it.each<[path: string, body: object, message: string, param: string]>([
    [
      "/v3/ai/chat/completions",
      { ...HELLO, messages: [{ role: "system", content: "Be brief." }] },
      'messages must hold one of role "user" under /v3/ai',
      "messages",
    ],
  ])("%s refuses %j", async (path, body, message, param) => {
    const { port } = await startRest({});
    const answer = await send(port, { path, body });
    expect([answer.status, answer.json]).toEqual([
      400,
      { error: { message, type: "invalid_request_error", param, code: "invalid_value" } },
    ]);
  });
});

/** Serves a stream that the test feeds. */
async function startStream(options: { keepAliveMs?: number } = {}) {
  const source = createSource<StreamChatCompletionResponse>();
  const signals: AbortSignal[] = [];
  const operations = {
    streamChatCompletion: (_: unknown, { signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return source;
    },
  };
  return { source, signals, ...(await startRest(operations, options)) };
}

/** Reads a stream up to and with the given text. */
async function readUntil(answer: http.IncomingMessage, end: string): Promise<string> {
  answer.setEncoding("utf8");
  let text = "";
  while (!text.endsWith(end)) {
    const chunk: unknown = answer.read();
    if (chunk === null) await new Promise((resolve) => answer.once("readable", resolve));
    else text += String(chunk);
  }
  return text;
}

const textEvent = (content: string): string =>
  `data: {${HEAD},"choices":[{"index":0,"delta":{"content":"${content}"},"finish_reason":null}]}\n\n`;

describe("a REST stream", () => {
  it("has the headers of event streams and of the report", async () => {
    const { port, source } = await startStream();
    source.push(
      streamedMessage.report({
        provider: "openai",
        model: "gpt-4o",
        adjustments: [{ path: "temperature", action: Adjustment_Action.CLAMPED }],
      }),
    );
    source.push(streamedMessage.text("Hi"), streamedMessage.report({ provider: "another" }));
    source.end();
    const body = { ...STREAM, stream_options: { fancy: 1 } };
    const { status, headers, text } = await send(port, { path: CHAT, body, headers: { connection: "keep-alive" } });
    expect([status, text]).toEqual([200, `${textEvent("Hi")}data: [DONE]\n\n`]);
    expect(headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
      connection: "keep-alive",
      "openai-processing-ms": expect.stringMatching(/^\d+$/),
      "x-parley-provider": "openai",
      "x-parley-model": "gpt-4o",
      "x-parley-adjustments": "temperature=clamped",
      "x-parley-ignored": "stream_options.fancy",
    });
    expect(headers).not.toHaveProperty("content-length");
  });

  it("lets a client that wants the connection closed have it so", async () => {
    const { port, source } = await startStream();
    source.end();
    const { headers } = await send(port, { path: CHAT, body: STREAM, headers: { connection: "close" } });
    expect(headers.connection).toBe("close");
  });

  it("of nothing is [DONE] alone", async () => {
    const { port, source } = await startStream();
    source.end();
    expect((await send(port, { path: CHAT, body: STREAM })).text).toBe("data: [DONE]\n\n");
  });

  it("delivers each batch when it is there", async () => {
    const { port, source } = await startStream();
    source.push(streamedMessage.text("one"), streamedMessage.text("two"));
    const answer = await open(port, { path: CHAT, body: STREAM });
    expect(await readUntil(answer, "\n\n")).toBe(textEvent("one") + textEvent("two"));
    source.push(streamedMessage.text("three"));
    expect(await readUntil(answer, "\n\n")).toBe(textEvent("three"));
    source.end();
    expect(await readText(answer)).toBe("data: [DONE]\n\n");
  });

  it("keeps line breaks and separators inside of one data line", async () => {
    const { port, source } = await startStream();
    source.push(streamedMessage.text("a\nb\r\n\u2028 😀"));
    source.end();
    const { text } = await send(port, { path: CHAT, body: STREAM });
    expect(text).toMatch(/^data: [^\n\r]+\n\ndata: \[DONE\]\n\n$/);
    const event = JSON.parse(text.slice("data: ".length, text.indexOf("\n"))) as {
      choices: [{ delta: { content: string } }];
    };
    expect(event.choices[0].delta.content).toBe("a\nb\r\n\u2028 😀");
  });

  it("that fails before its first event is a plain error", async () => {
    const { port, source, exchanges } = await startStream();
    source.push(streamedMessage.report({ provider: "openai" }));
    source.fail(new GatewayError(Reason.RATE_LIMIT_EXCEEDED, "too many", { retryAfterMs: 500 }));
    const { status, headers, json } = await send(port, { path: CHAT, body: STREAM });
    expect([status, headers["content-type"], headers["retry-after-ms"]]).toEqual([429, "application/json", "500"]);
    expect(json).toEqual({
      error: { message: "too many", type: "rate_limit_error", param: null, code: "rate_limit_exceeded" },
    });
    expect(exchanges[0]!.log.error?.reason).toBe(Reason.RATE_LIMIT_EXCEEDED);
  });

  it("that fails after its first event ends with an error event, without [DONE]", async () => {
    const { port, source, exchanges } = await startStream();
    source.push(streamedMessage.text("Hi"));
    source.fail(new GatewayError(Reason.UPSTREAM_ERROR, "it broke"));
    const { status, text } = await send(port, { path: CHAT, body: STREAM });
    expect([status, text]).toEqual([200, textEvent("Hi") + UPSTREAM_FAILED]);
    expect(exchanges[0]!.log.error?.reason).toBe(Reason.UPSTREAM_ERROR);
    expect(source.returns).toBe(0);
  });

  it("that fails for a fault of ours does not tell which", async () => {
    const { port, source } = await startStream();
    source.push(streamedMessage.text("Hi"));
    source.fail(new TypeError("secret"));
    const { text } = await send(port, { path: CHAT, body: STREAM });
    expect(text).toMatch(/^data: .*\n\ndata: \{"error":\{.*"type":"server_error","param":null,"code":null\}\}\n\n$/);
    expect(text).not.toContain("secret");
  });

  it("that cannot be encoded is stopped", async () => {
    const { port, source, exchanges } = await startStream();
    source.push(streamedMessage.text("Hi"));
    const noWord = streamedMessage.finish();
    noWord.chunk!.choices[0]!.finishReason = 77 as FinishReason;
    source.push(noWord);
    const { text } = await send(port, { path: CHAT, body: STREAM });
    expect(text.startsWith(`${textEvent("Hi")}data: {"error":`)).toBe(true);
    await exchanges[0]!.handled;
    expect(source.returns).toBe(1);
  });
});

describe("a silent REST stream", () => {
  const COMMENT = ": keep-alive\n\n";

  it("is committed by a comment before its first event, and then goes on as any", async () => {
    const { port, source } = await startStream({ keepAliveMs: 20 });
    const answer = await open(port, { path: CHAT, body: STREAM });
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([200, "text/event-stream; charset=utf-8"]);
    const before = await readUntil(answer, COMMENT + COMMENT);
    source.push(streamedMessage.text("Hi"));
    const event = await readUntil(answer, textEvent("Hi"));
    const after = await readUntil(answer, COMMENT);
    source.end();
    const rest = await readText(answer);
    expect((before + event + after + rest).replaceAll(COMMENT, "")).toBe(`${textEvent("Hi")}data: [DONE]\n\n`);
  });

  it("tells of a failure by an event once it is committed", async () => {
    const { port, source } = await startStream({ keepAliveMs: 20 });
    const answer = await open(port, { path: CHAT, body: STREAM });
    await readUntil(answer, COMMENT);
    source.fail(new GatewayError(Reason.UPSTREAM_ERROR, "it broke"));
    expect((await readText(answer)).replaceAll(COMMENT, "")).toBe(UPSTREAM_FAILED);
  });
});
