/** The stream as its readers hold it: an iterator that they may leave, or forget, at any time. */
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type Caller, OPEN_CALLER } from "../../src/admission/caller.ts";
import { createMemoryLimiter } from "../../src/admission/limits/memory-limiter.ts";
import { createSpendLedger } from "../../src/admission/limits/spend-ledger.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { createGateway } from "../../src/gateway/gateway.ts";
import { blankChatCompletionChunk, blankChunkChoice, blankDelta } from "../../src/gen/parley/chat/v1/blanks.ts";
import { StreamChatCompletionRequestSchema } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { type ChatCompletionChunk, FinishReason } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { Attempt_Outcome } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { KeyLimitsSchema } from "../../src/gen/parley/keys/v1/limits_pb.ts";
import { CallLog } from "../../src/telemetry/call-log.ts";
import type { ChunkBatch } from "../../src/upstream/backend.ts";
import { failureOf } from "../support/collect.ts";
import { modelsOf } from "../support/listing-provider.ts";
import { catalogueOf, idleBackend, ONE_TRY } from "../support/routing.ts";

function chunk(content: string, finishReason: FinishReason = FinishReason.UNSPECIFIED): ChatCompletionChunk {
  const delta = { ...blankDelta(), content };
  return { ...blankChatCompletionChunk(), choices: [{ ...blankChunkChoice(), delta, finishReason }] };
}

/** A backend whose stream says what it is told to, when it is told to. */
class Speaker implements AsyncIterableIterator<ChunkBatch> {
  /** How often somebody left the stream. */
  left = 0;
  #waiting: PromiseWithResolvers<IteratorResult<ChunkBatch>> | undefined;
  #said: IteratorResult<ChunkBatch>[] = [];

  constructor(signal: AbortSignal) {
    signal.addEventListener("abort", () => this.#waiting?.reject(signal.reason));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<ChunkBatch>> {
    const said = this.#said.shift();
    if (said !== undefined) return Promise.resolve(said);
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  async return(): Promise<IteratorResult<ChunkBatch>> {
    this.left += 1;
    return { done: true, value: undefined };
  }

  say(...chunks: ChatCompletionChunk[]): void {
    this.#tell({ done: false, value: chunks });
  }

  end(): void {
    this.#tell({ done: true, value: undefined });
  }

  /** What is said while nobody listens is heard by the next one. */
  #tell(result: IteratorResult<ChunkBatch>): void {
    if (this.#waiting === undefined) this.#said.push(result);
    else this.#waiting.resolve(result);
    this.#waiting = undefined;
  }
}

const LIMITS = create(KeyLimitsSchema, { concurrentStreams: 1 });
const CALLER: Caller = { ...OPEN_CALLER, id: "key", limits: LIMITS };

/** Opens a stream that has given its first batch, "a". */
async function open() {
  const speakers: Speaker[] = [];
  const backend = idleBackend("p", {
    models: () => modelsOf("m"),
    plan: () => ({
      adjustments: [],
      promptTokens: undefined,
      describe: () => undefined,
      complete: () => Promise.reject(new Error("not asked for")),
      stream(signal) {
        const speaker = new Speaker(signal);
        speaker.say(chunk("a"));
        speakers.push(speaker);
        return speaker;
      },
    }),
  });
  const limiter = createMemoryLimiter({ spend: createSpendLedger({ read: async () => 0 }) });
  const gateway = createGateway(catalogueOf([backend], ["p/m"]), ONE_TRY, limiter);
  const client = new AbortController();
  const call = { caller: CALLER, log: new CallLog("req_1", "grpc"), signal: client.signal, timeoutMs: undefined };
  const messages = [{ role: Role.USER, content: [{ kind: { case: "text" as const, value: "a" } }] }];
  const request = create(StreamChatCompletionRequestSchema, { params: { model: "p/m", messages } });
  const stream = gateway.operations.streamChatCompletion(request, call)[Symbol.asyncIterator]();
  const leave = async (): Promise<unknown> => stream.return?.();
  return {
    gateway,
    stream,
    leave,
    client,
    call,
    speaker: () => speakers[0] as Speaker,
    text: async () => {
      const { value } = await stream.next();
      return (value as { chunk?: ChatCompletionChunk }[] | undefined)?.map(
        ({ chunk: it }) => it?.choices[0]?.delta?.content,
      );
    },
    /** What is left of the call. */
    left: async () => {
      const standing = await limiter.reserve(
        CALLER.id,
        { ...NO_QUOTA, concurrentStreams: 1 },
        { tokens: 0, stream: true },
      );
      return { calls: gateway.calls.size, isPlaceFree: standing.granted, left: speakers.map(({ left }) => left) };
    },
    outcomes: () => call.log.attempts.map(({ outcome }) => outcome),
  };
}

const NO_QUOTA = {
  requestsPerMinute: undefined,
  tokensPerMinute: undefined,
  concurrent: undefined,
  concurrentStreams: undefined,
  budget: undefined,
};
const OVER = { calls: 0, isPlaceFree: true, left: [1] };
const GONE = new GatewayError(Reason.CANCELLED, "the client is gone");
const END = { done: true, value: undefined };

describe("streamChat()", () => {
  it("begins nothing before somebody reads, and nothing for who leaves before", async () => {
    const { stream, leave, left, outcomes } = await open();
    await leave();
    expect([await stream.next(), await left(), outcomes()]).toEqual([END, { ...OVER, left: [] }, []]);
  });

  it("gives what comes, and then its end, over and over", async () => {
    const { stream, text, speaker, left, outcomes } = await open();
    expect(await text()).toEqual(["a"]);
    speaker().say(chunk("b"), chunk("c"));
    expect(await text()).toEqual(["b", "c"]);
    speaker().say(chunk("", FinishReason.STOP));
    expect(await text()).toEqual([undefined]);
    speaker().end();
    const { value } = await stream.next();
    expect(value).toMatchObject([{ report: { provider: "p", attempts: [{ outcome: Attempt_Outcome.SUCCEEDED }] } }]);
    expect([await stream.next(), await stream.next()]).toEqual([END, END]);
    expect([await left(), outcomes()]).toEqual([OVER, [Attempt_Outcome.SUCCEEDED]]);
  });

  it("ends the work when its reader leaves", async () => {
    const { stream, text, leave, left, outcomes } = await open();
    await text();
    expect(await leave()).toEqual(END);
    expect([await left(), outcomes(), await stream.next()]).toEqual([OVER, [Attempt_Outcome.CANCELLED], END]);
  });

  it("gives a reader who leaves what it still waits for", async () => {
    const { text, leave, speaker, left } = await open();
    await text();
    const waiting = text();
    const leaving = leave();
    speaker().say(chunk("b"));
    expect([await waiting, await leaving]).toEqual([["b"], END]);
    expect(await left()).toEqual(OVER);
  });

  it("ends the work when its reader is gone and reads no more, and says so once to who reads all the same", async () => {
    const { stream, text, client, left, outcomes, call } = await open();
    await text();
    client.abort(GONE);
    expect([await left(), outcomes()]).toEqual([OVER, [Attempt_Outcome.CANCELLED]]);
    expect(await failureOf(stream.next())).toBe(GONE);
    expect([await stream.next(), call.log.error]).toEqual([END, GONE]);
  });

  it("fails who waits when the client is gone", async () => {
    const { stream, text, client, left, outcomes } = await open();
    await text();
    const failing = failureOf(stream.next());
    client.abort(GONE);
    expect([await failing, await left(), outcomes()]).toEqual([GONE, OVER, [Attempt_Outcome.CANCELLED]]);
    expect(await stream.next()).toEqual(END);
  });

  it("ends the work when the client is gone just as a batch comes, and nobody reads on", async () => {
    const { text, client, speaker, left } = await open();
    await text();
    const waiting = text();
    speaker().say(chunk("b"));
    client.abort(GONE);
    expect([await waiting, await left()]).toEqual([["b"], OVER]);
  });

  it("fails when its provider breaks off, and holds that against the target", async () => {
    const { stream, text, speaker, left, outcomes } = await open();
    await text();
    speaker().end();
    const failure = await failureOf(stream.next());
    expect(failure).toMatchObject({ reason: Reason.UPSTREAM_STREAM_INTERRUPTED });
    expect([await left(), outcomes(), await stream.next()]).toEqual([OVER, [Attempt_Outcome.FAILED], END]);
  });

  it("fails who reads on after the last batch when the client is gone by then", async () => {
    const { stream, text, speaker, client, left, outcomes } = await open();
    await text();
    speaker().say(chunk("", FinishReason.STOP));
    await text();
    speaker().end();
    await stream.next();
    client.abort(GONE);
    expect(await failureOf(stream.next())).toBe(GONE);
    expect([await left(), outcomes()]).toEqual([OVER, [Attempt_Outcome.SUCCEEDED]]);
  });
});
