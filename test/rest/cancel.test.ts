import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import type { CallContext } from "../../src/gateway/operation.ts";
import type { StreamChatCompletionResponse } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { type BatchSource, createSource } from "./support/batch-source.ts";
import { open, send } from "./support/http-client.ts";
import { completionOf, HELLO, streamedMessage } from "./support/operations.ts";
import { startRest } from "./support/rest-server.ts";

const CHAT = "/v1/chat/completions";
const STREAM = { ...HELLO, stream: true } as const;
const CANCELLED = { reason: Reason.CANCELLED };

/** Sends a call and does not wait for its answer. */
function call(port: number, body: object): http.ClientRequest {
  const request = http.request({ host: "127.0.0.1", port, path: CHAT, method: "POST", agent: false });
  request.on("error", () => {
    // It is destroyed by the test.
  });
  request.end(JSON.stringify(body));
  return request;
}

describe("a client that goes away", () => {
  it("aborts a unary call, which is not answered", async () => {
    const signals: AbortSignal[] = [];
    const operations = {
      createChatCompletion: (_: unknown, { signal }: CallContext) => {
        signals.push(signal);
        return new Promise<never>((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        });
      },
    };
    const { port, exchanges } = await startRest(operations);
    const request = call(port, HELLO);
    await expect.poll(() => signals.length).toBe(1);
    expect(signals[0]!.aborted).toBe(false);
    request.destroy();
    await exchanges[0]!.handled;
    expect(signals[0]!.reason).toMatchObject(CANCELLED);
    expect(exchanges[0]!.log.error).toMatchObject(CANCELLED);
    expect(exchanges[0]!.response.headersSent).toBe(false);
  });

  it("counts as cancelled also when the call was answered nevertheless", async () => {
    const answered = Promise.withResolvers<void>();
    const signals: AbortSignal[] = [];
    const operations = {
      createChatCompletion: async (_: unknown, { signal }: CallContext) => {
        signals.push(signal);
        await answered.promise;
        return completionOf("too late");
      },
    };
    const { port, exchanges } = await startRest(operations);
    const request = call(port, HELLO);
    await expect.poll(() => signals.length).toBe(1);
    request.destroy();
    await expect.poll(() => signals[0]!.aborted).toBe(true);
    answered.resolve();
    await exchanges[0]!.handled;
    expect(exchanges[0]!.log.error).toMatchObject(CANCELLED);
    expect(exchanges[0]!.response.headersSent).toBe(false);
  });

  it.each<[when: string, batches: number]>([
    ["before its first event", 0],
    ["after its first event", 1],
  ])("stops a stream %s, even one that does not heed the signal", async (_, batches) => {
    const source = createSource<StreamChatCompletionResponse>();
    const signals: AbortSignal[] = [];
    const operations = {
      streamChatCompletion: (_request: unknown, { signal }: CallContext) => {
        signals.push(signal);
        return source;
      },
    };
    const { port, exchanges } = await startRest(operations);
    for (let sent = 0; sent < batches; sent++) source.push(streamedMessage.text("Hi"));
    const request = call(port, STREAM);
    await expect.poll(() => source.pulls).toBe(batches + 1);
    request.destroy();
    await exchanges[0]!.handled;
    expect(signals[0]!.reason).toMatchObject(CANCELLED);
    expect(source.returns).toBeGreaterThanOrEqual(1);
    expect(source.pulls).toBe(batches + 1);
    expect(exchanges[0]!.log.error).toMatchObject(CANCELLED);
  });

  it("runs the clean-up of a stream that is a generator", async () => {
    const cleaned: unknown[] = [];
    const operations = {
      async *streamChatCompletion(_request: unknown, { signal }: CallContext) {
        try {
          yield [streamedMessage.text("Hi")];
          await new Promise<never>((_resolve, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason));
          });
        } finally {
          cleaned.push(signal.reason);
        }
      },
    };
    const { port, exchanges } = await startRest(operations);
    const answer = await open(port, { path: CHAT, body: STREAM });
    answer.destroy();
    await exchanges[0]!.handled;
    expect(cleaned).toMatchObject([CANCELLED]);
  });

  it("leaves no listener at its response", async () => {
    const source = createSource<StreamChatCompletionResponse>();
    const { port, exchanges } = await startRest({ streamChatCompletion: () => source });
    const request = call(port, STREAM);
    await expect.poll(() => source.pulls).toBe(1);
    const { response, handled } = exchanges[0]!;
    const during = response.listenerCount("close");
    request.destroy();
    await handled;
    expect(response.listenerCount("close")).toBeLessThan(during);
    expect(response.listenerCount("drain")).toBe(0);
  });
});

describe("streams that are over", () => {
  it("are written to no more, however they ended", async () => {
    const sources: BatchSource<StreamChatCompletionResponse>[] = [];
    const operations = {
      streamChatCompletion: () => {
        const source = createSource<StreamChatCompletionResponse>();
        sources.push(source);
        return source;
      },
    };
    const { port, exchanges } = await startRest(operations, { keepAliveMs: 20 });
    const requests = Array.from({ length: 12 }, () => call(port, STREAM));
    while (sources.length < requests.length) await new Promise((resolve) => setImmediate(resolve));
    const writes: number[] = [];
    for (const [at, { response }] of exchanges.entries()) {
      const { write } = response;
      response.write = (...args: unknown[]) => {
        writes[at] = (writes[at] ?? 0) + 1;
        return Reflect.apply(write, response, args) as boolean;
      };
    }
    // All of them comment while they are open.
    while (writes.filter((count) => count > 0).length < requests.length) await sleep(5);
    for (const source of sources.slice(0, 6)) source.push(streamedMessage.text("Hi"));
    for (const source of sources.slice(0, 3)) source.end();
    for (const source of sources.slice(3, 9)) source.fail(new GatewayError(Reason.UPSTREAM_ERROR, "it broke"));
    let over = 0;
    for (const { handled } of exchanges) void handled.then(() => (over += 1));
    while (over < 9) await new Promise((resolve) => setImmediate(resolve));
    for (const request of requests) request.destroy();
    await Promise.all(exchanges.map(({ handled }) => handled));
    const before = [...writes];
    await sleep(100);
    expect(writes).toEqual(before);
  });
});

describe("a call that was cancelled by somebody else", () => {
  it("ends the connection without an answer", async () => {
    const operations = {
      createChatCompletion: async () => {
        throw new GatewayError(Reason.CANCELLED, "the call was cancelled");
      },
    };
    const { port, exchanges } = await startRest(operations);
    await expect(send(port, { path: CHAT, body: HELLO })).rejects.toThrow("socket hang up");
    expect(exchanges[0]!.log.error).toMatchObject(CANCELLED);
  });
});

describe("a client that does not read", () => {
  it("holds the stream back, and stops it when it goes away", async () => {
    const text = "x".repeat(1024 * 1024);
    let pulls = 0;
    let stopped = false;
    const operations = {
      async *streamChatCompletion() {
        try {
          for (;;) {
            pulls += 1;
            yield [streamedMessage.text(text)];
          }
        } finally {
          stopped = true;
        }
      },
    };
    const { port, exchanges } = await startRest(operations);
    const answer = await open(port, { path: CHAT, body: STREAM });
    answer.pause();
    // The connection says that it is behind once the system's buffers are full, whatever their size.
    await expect.poll(() => exchanges[0]!.response.socket?.writableNeedDrain, { timeout: 15_000 }).toBe(true);
    const held = pulls;
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(pulls).toBeLessThanOrEqual(held + 1);
    expect(stopped).toBe(false);
    answer.destroy();
    await exchanges[0]!.handled;
    expect(stopped).toBe(true);
    expect(exchanges[0]!.log.error).toMatchObject(CANCELLED);
  });
});
