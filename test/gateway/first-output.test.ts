import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OPEN_CALLER } from "../../src/admission/caller.ts";
import { createGateway } from "../../src/gateway/gateway.ts";
import {
  StreamChatCompletionRequestSchema,
  type StreamChatCompletionResponse,
} from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { ChatCompletionChunkSchema, FinishReason } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { CallLog } from "../../src/telemetry/call-log.ts";
import { collect, failureOf } from "../support/collect.ts";
import { modelsOf } from "../support/listing-provider.ts";
import { catalogueOf, idleBackend, NO_LIMITER, ONE_TRY } from "../support/routing.ts";

type Batch = readonly MessageInitShape<typeof ChatCompletionChunkSchema>[];

const FIRST_CHUNK_MS = 100;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Streams a call of a backend that says these batches, with so many milliseconds before each. */
async function stream(batches: readonly Batch[], pauseMs = 0, includeReasoning = true) {
  const backend = idleBackend("slow", {
    models: () => modelsOf("m"),
    plan: () => ({
      adjustments: [],
      promptTokens: undefined,
      describe: () => undefined,
      complete: () => Promise.reject(new Error("not asked for")),
      async *stream(signal) {
        for (const batch of batches) {
          if (pauseMs > 0) await sleep(pauseMs);
          signal.throwIfAborted();
          yield batch.map((chunk) => create(ChatCompletionChunkSchema, chunk));
        }
      },
    }),
  });
  const catalogue = catalogueOf([backend], ["slow/m"]);
  const { operations } = createGateway(catalogue, { ...ONE_TRY, firstChunkMs: FIRST_CHUNK_MS }, NO_LIMITER);
  const messages = [{ role: Role.USER, content: [{ kind: { case: "text" as const, value: "a" } }] }];
  const request = create(StreamChatCompletionRequestSchema, {
    params: { model: "slow/m", messages },
    options: { includeReasoning },
  });
  const call = {
    caller: OPEN_CALLER,
    log: new CallLog("req_1", "grpc"),
    signal: new AbortController().signal,
    timeoutMs: undefined,
  };
  const answer = (await collect(operations.streamChatCompletion(request, call))).flat();
  return { answer, log: call.log };
}

const saying = (delta: object): Batch[number] => ({ choices: [{ delta }] });
const TEXT = saying({ content: "a" });
const THOUGHT = saying({ reasoningContent: "hm" });
const END: Batch[number] = { choices: [{ delta: {}, finishReason: FinishReason.STOP }] };

const textOf = (answer: readonly StreamChatCompletionResponse[]): string =>
  answer.map(({ chunk }) => chunk?.choices[0]?.delta?.content ?? "").join("");

describe("the time for the first output", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each<readonly [string, readonly Batch[], boolean]>([
    ["text", [[TEXT], [], [END]], true],
    ["reasoning", [[THOUGHT], [], [TEXT], [END]], true],
    ["reasoning that the client does not want to see", [[THOUGHT], [], [TEXT], [END]], false],
  ])("is kept by %s", async (_what, batches, includeReasoning) => {
    const [{ answer }] = await Promise.all([
      stream(batches, FIRST_CHUNK_MS * 0.9, includeReasoning),
      vi.runAllTimersAsync(),
    ]);
    expect(textOf(answer)).toBe("a");
  });

  it.each<readonly [string, Batch]>([
    ["signs of life", []],
    ["a role", [saying({ role: Role.ASSISTANT })]],
    ["chunks that say nothing", [{}]],
  ])("is not kept by %s", async (_what, batch) => {
    const failed = failureOf(stream([batch, batch, batch, [TEXT, END]], FIRST_CHUNK_MS * 0.9));
    await vi.runAllTimersAsync();
    expect(await failed).toMatchObject({ reason: Reason.DEADLINE_EXCEEDED });
  });
});

describe("what a provider calls its answer", () => {
  const UNNAMED: Batch[number] = { choices: [] };
  const NAMED: Batch[number] = { ...TEXT, id: "theirs", model: "m-2" };

  it.each<readonly [string, readonly Batch[]]>([
    ["alone", [[UNNAMED], [NAMED], [END]]],
    ["behind others in one batch", [[UNNAMED, NAMED], [END]]],
    ["behind the first output", [[TEXT], [NAMED], [END]]],
    ["behind the first output in one batch", [[TEXT, NAMED, END]]],
  ])("is known wherever it comes: %s", async (_where, batches) => {
    const { answer, log } = await stream(batches);
    const { upstreamId, upstreamModel } = answer.at(-1)?.report ?? {};
    expect([upstreamId, upstreamModel, log.upstreamId, log.upstreamModel]).toEqual(["theirs", "m-2", "theirs", "m-2"]);
  });
});
