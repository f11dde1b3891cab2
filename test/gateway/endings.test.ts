/** Whatever a provider sends, a call ends with a whole answer or with a typed error. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OPEN_CALLER } from "../../src/admission/caller.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { createGateway } from "../../src/gateway/gateway.ts";
import {
  CreateChatCompletionRequestSchema,
  StreamChatCompletionRequestSchema,
} from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import {
  type ChatCompletionChunk,
  ChatCompletionChunkSchema,
  ChatCompletionSchema,
  FinishReason,
} from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { ModelSchema } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import type { ScriptedProvider } from "../../src/providers/script.ts";
import { CallLog } from "../../src/telemetry/call-log.ts";
import { createScriptedBackend } from "../../src/upstream/scripted-backend.ts";
import { failureOf } from "../support/collect.ts";
import { fold } from "../support/fold.ts";
import { catalogueOf, NO_LIMITER, ONE_TRY } from "../support/routing.ts";

type Chunk = MessageInitShape<typeof ChatCompletionChunkSchema>;
type Whole = MessageInitShape<typeof ChatCompletionSchema>;

/** A gateway in front of a provider that sends this, and nothing else. */
function openGateway({ chunks = [], whole = {} }: { readonly chunks?: readonly Chunk[]; readonly whole?: Whole }) {
  const provider: ScriptedProvider = {
    id: "strange",
    models: () => [create(ModelSchema, { id: "m" })],
    has: (model) => model === "m",
    abilitiesOf: () => ({}),
    plan: () => ({ adjustments: [], promptTokens: 1 }),
    complete: () => [{ kind: "output", value: create(ChatCompletionSchema, whole) }],
    stream: () => chunks.map((chunk) => ({ kind: "output", value: create(ChatCompletionChunkSchema, chunk) })),
  };
  const catalogue = catalogueOf([createScriptedBackend(provider)], ["strange/m"]);
  const gateway = createGateway(catalogue, ONE_TRY, NO_LIMITER);
  const call = {
    caller: OPEN_CALLER,
    log: new CallLog("req_1", "grpc"),
    signal: new AbortController().signal,
    timeoutMs: undefined,
  };
  const request = (n: number) => ({
    params: {
      model: "auto",
      n,
      messages: [{ role: Role.USER, content: [{ kind: { case: "text" as const, value: "a" } }] }],
    },
  });
  return {
    calls: gateway.calls,
    complete: (n = 1) =>
      gateway.operations.createChatCompletion(create(CreateChatCompletionRequestSchema, request(n)), call),
    async stream(received: ChatCompletionChunk[], n = 1) {
      const message = create(StreamChatCompletionRequestSchema, request(n));
      for await (const batch of gateway.operations.streamChatCompletion(message, call)) {
        for (const { chunk } of batch) if (chunk !== undefined) received.push(chunk);
      }
    },
  };
}

const { STOP, LENGTH } = FinishReason;
const TEXT: Chunk = { choices: [{ delta: { content: "a" } }] };
const END: Chunk = { choices: [{ delta: {}, finishReason: STOP }] };
const USAGE: Chunk = { usage: { promptTokens: 1, completionTokens: 2, totalTokens: 99 } };

describe("a strange stream", () => {
  it.each<readonly [string, readonly Chunk[], number, readonly FinishReason[]]>([
    ["without a role", [TEXT, END, USAGE], 1, [STOP]],
    ["without usage", [TEXT, END], 1, [STOP]],
    ["with usage first, twice and last", [USAGE, TEXT, USAGE, END, USAGE], 1, [STOP]],
    ["with two ends", [TEXT, END, { choices: [{ finishReason: LENGTH }] }, USAGE], 1, [STOP]],
    ["with an end alone", [END], 1, [STOP]],
    ["with an empty chunk at its start and end", [{}, TEXT, END, {}], 1, [STOP]],
    [
      "with choices from last to first",
      [{ choices: [{ index: 1, delta: { content: "b" }, finishReason: STOP }] }, TEXT, END],
      2,
      [STOP, STOP],
    ],
    [
      "with an index twice in a chunk",
      [{ choices: [{ delta: { content: "a" } }, { delta: { content: "b" } }] }, END],
      1,
      [STOP],
    ],
  ])("%s comes to a whole answer", async (_name, chunks, n, reasons) => {
    const gateway = openGateway({ chunks });
    const received: ChatCompletionChunk[] = [];
    await gateway.stream(received, n);
    const { choices, usage } = fold(received);
    expect(choices.map(({ finishReason }) => finishReason)).toEqual(reasons);
    expect(usage?.totalTokens).toBe(chunks.includes(USAGE) ? 3 : undefined);
    expect(gateway.calls.size).toBe(0);
  });

  it.each<readonly [string, readonly Chunk[], number, Reason]>([
    ["that is empty", [], 1, Reason.UPSTREAM_STREAM_INTERRUPTED],
    ["of usage alone", [USAGE], 1, Reason.UPSTREAM_STREAM_INTERRUPTED],
    ["without an end", [TEXT, USAGE], 1, Reason.UPSTREAM_STREAM_INTERRUPTED],
    [
      "that leaves a choice out",
      [
        {
          choices: [
            { index: 0, finishReason: STOP },
            { index: 2, finishReason: STOP },
          ],
        },
      ],
      3,
      Reason.UPSTREAM_STREAM_INTERRUPTED,
    ],
    ["with text after its end", [END, TEXT], 1, Reason.UPSTREAM_INVALID_RESPONSE],
    [
      "with text after its end in one chunk",
      [{ choices: [{ finishReason: STOP }, { delta: { content: "b" } }] }],
      1,
      Reason.UPSTREAM_INVALID_RESPONSE,
    ],
    [
      "with logprobs after its end",
      [END, { choices: [{ logprobs: { content: [{ token: "a" }] } }] }],
      1,
      Reason.UPSTREAM_INVALID_RESPONSE,
    ],
    [
      "with a choice too many",
      [{ choices: [{ index: 1, delta: { content: "a" } }] }],
      1,
      Reason.UPSTREAM_INVALID_RESPONSE,
    ],
    [
      "with a negative index",
      [{ choices: [{ index: -1, delta: { content: "a" } }] }],
      1,
      Reason.UPSTREAM_INVALID_RESPONSE,
    ],
  ])("%s is an error", async (_name, chunks, n, reason) => {
    const gateway = openGateway({ chunks });
    const thrown = await failureOf(gateway.stream([], n));
    expect(thrown).toBeInstanceOf(GatewayError);
    expect((thrown as GatewayError).reasonName).toBe(Reason[reason]);
    expect(gateway.calls.size).toBe(0);
  });

  it("is whole, or is an error that comes after a beginning without a fault", async () => {
    const choice = fc.record(
      {
        index: fc.integer({ min: 0, max: 2 }),
        delta: fc.record(
          { role: fc.constantFrom(Role.ASSISTANT, Role.USER), content: fc.constantFrom("", "a", "b") },
          { requiredKeys: [] },
        ),
        finishReason: fc.constantFrom(FinishReason.UNSPECIFIED, FinishReason.UNSPECIFIED, STOP, LENGTH),
      },
      { requiredKeys: [] },
    );
    const chunk = fc.record(
      { choices: fc.array(choice, { maxLength: 3 }), usage: fc.constant({ promptTokens: 1 }), id: fc.string() },
      { requiredKeys: [] },
    );
    const ends = { whole: 0, error: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 8 }), fc.integer({ min: 1, max: 3 }), async (chunks, n) => {
        const gateway = openGateway({ chunks });
        const received: ChatCompletionChunk[] = [];
        const thrown: unknown = await gateway.stream(received, n).catch((error: unknown) => error);
        const choices = received.length === 0 ? [] : fold(received).choices; // Which fails where the grammar is broken.
        const isWhole = choices.length === n && choices.every(({ finishReason }) => finishReason !== 0);
        ends[thrown === undefined ? "whole" : "error"] += 1;
        expect(thrown === undefined ? isWhole : thrown instanceof GatewayError).toBe(true);
        expect(gateway.calls.size).toBe(0);
      }),
      { numRuns: 2_000, seed: 7 },
    );
    expect(Math.min(ends.whole, ends.error)).toBeGreaterThan(20);
  });
});

describe("a strange whole answer", () => {
  const choice = { message: { content: [{ kind: { case: "text" as const, value: "a" } }] }, finishReason: STOP };

  it("is put in order, and gets its identity and the sum of its usage", async () => {
    const whole: Whole = {
      id: "x",
      model: "y",
      choices: [
        { ...choice, index: 1 },
        { ...choice, finishReason: LENGTH },
      ],
      usage: { promptTokens: 1, completionTokens: 2, totalTokens: 99 },
    };
    const { completion, report } = await openGateway({ whole }).complete(2);
    expect(completion).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-/),
      model: "strange/m",
      choices: [
        { index: 0, finishReason: LENGTH, message: { role: Role.ASSISTANT } },
        { index: 1, finishReason: STOP, message: { role: Role.ASSISTANT } },
      ],
      usage: { totalTokens: 3 },
    });
    expect(report?.attempts).toHaveLength(1);
  });

  it.each<readonly [string, Whole, number]>([
    ["without choices", {}, 1],
    ["with a choice too few", { choices: [choice] }, 2],
    ["with a choice too many", { choices: [choice, { ...choice, index: 1 }] }, 1],
    ["with a choice twice", { choices: [choice, choice] }, 2],
    ["with a gap in its choices", { choices: [choice, { ...choice, index: 2 }] }, 2],
    ["without a message", { choices: [{ finishReason: STOP }] }, 1],
    ["without an end", { choices: [{ message: choice.message }] }, 1],
  ])("%s is an error", async (_name, whole, n) => {
    const gateway = openGateway({ whole });
    const thrown = await failureOf(gateway.complete(n));
    expect(thrown).toBeInstanceOf(GatewayError);
    expect((thrown as GatewayError).reasonName).toBe("UPSTREAM_INVALID_RESPONSE");
    expect(gateway.calls.size).toBe(0);
  });
});
