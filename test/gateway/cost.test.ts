import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { OPEN_CALLER } from "../../src/admission/caller.ts";
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
  ServiceTier,
} from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import type { CallReport } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { CallLog } from "../../src/telemetry/call-log.ts";
import type { Backend, Consumption } from "../../src/upstream/backend.ts";
import { collect } from "../support/collect.ts";
import { modelsOf } from "../support/listing-provider.ts";
import { catalogueOf, idleBackend, NO_LIMITER, ONE_TRY } from "../support/routing.ts";

type Chunk = MessageInitShape<typeof ChatCompletionChunkSchema>;

/** What a backend's cost is asked of, and the answer. */
interface Priced {
  readonly chunks: readonly Chunk[];
  readonly whole: MessageInitShape<typeof ChatCompletionSchema>;
  readonly cost: Backend["cost"];
}

const USAGE = { promptTokens: 10, completionTokens: 4, promptTokensDetails: { cachedTokens: 3 } };
const END = { choices: [{ delta: { content: "a" }, finishReason: FinishReason.STOP }] };
const WHOLE = { choices: [{ message: {}, finishReason: FinishReason.STOP }] };

/** The last report and the log of a call of a backend that knows costs so, whole and as a stream. */
async function reportsOf({ chunks, whole, cost }: Priced) {
  const batch = (init: Chunk): readonly ChatCompletionChunk[] => [create(ChatCompletionChunkSchema, init)];
  const backend = idleBackend("priced", {
    models: () => modelsOf("m"),
    plan: () => ({
      adjustments: [],
      promptTokens: undefined,
      describe: () => undefined,
      complete: async () => create(ChatCompletionSchema, whole),
      async *stream() {
        for (const chunk of chunks) yield batch(chunk);
      },
    }),
    ...(cost === undefined ? {} : { cost }),
  });
  const { operations } = createGateway(catalogueOf([backend], ["priced/m"]), ONE_TRY, NO_LIMITER);
  const params = {
    model: "priced/m",
    messages: [{ role: Role.USER, content: [{ kind: { case: "text" as const, value: "a" } }] }],
  };
  const callOf = () => ({
    caller: OPEN_CALLER,
    log: new CallLog("req_1", "grpc"),
    signal: new AbortController().signal,
    timeoutMs: undefined,
  });
  const unary = callOf();
  const answer = await operations.createChatCompletion(create(CreateChatCompletionRequestSchema, { params }), unary);
  const streaming = callOf();
  const request = create(StreamChatCompletionRequestSchema, { params });
  const messages = (await collect(operations.streamChatCompletion(request, streaming))).flat();
  return [
    { first: undefined, last: answer.report, log: unary.log.costNanoDollars },
    { first: messages[0]?.report, last: messages.at(-1)?.report, log: streaming.log.costNanoDollars },
  ];
}

const costs = (reports: readonly { first?: CallReport | undefined; last?: CallReport | undefined; log?: unknown }[]) =>
  reports.map(({ first, last, log }) => [first?.costNanoDollars, last?.costNanoDollars, log]);

describe("the cost of a call", () => {
  it("is in the last report and in the log", async () => {
    const whole = { ...WHOLE, usage: USAGE };
    const reports = await reportsOf({ whole, chunks: [END, { usage: USAGE }], cost: () => 12_345n });
    expect(costs(reports)).toEqual([
      [undefined, 12_345n, 12_345],
      [undefined, 12_345n, 12_345],
    ]);
  });

  it("may be nothing", async () => {
    const reports = await reportsOf({
      whole: { ...WHOLE, usage: USAGE },
      chunks: [END, { usage: USAGE }],
      cost: () => 0n,
    });
    expect(costs(reports)).toEqual([
      [undefined, 0n, 0],
      [undefined, 0n, 0],
    ]);
  });

  it.each<readonly [string, boolean, Backend["cost"]]>([
    ["the backend does not know it", true, () => undefined],
    ["the backend knows no costs", true, undefined],
    ["there is no usage", false, () => 1n],
  ])("is unset where %s", async (_what, hasUsage, cost) => {
    const usage = hasUsage ? { usage: USAGE } : {};
    const reports = await reportsOf({ whole: { ...WHOLE, ...usage }, chunks: [{ ...END, ...usage }], cost });
    expect(costs(reports)).toEqual([
      [undefined, undefined, undefined],
      [undefined, undefined, undefined],
    ]);
  });

  it("is asked by what was asked for, who answered, the whole usage and the tier", async () => {
    const asked: Consumption[] = [];
    const tier = ServiceTier.FLEX;
    await reportsOf({
      whole: { ...WHOLE, model: "m-2026", usage: USAGE, serviceTier: tier },
      // Some name the model, and the tier, only after a first chunk that says nothing.
      chunks: [{}, { ...END, model: "m-2026" }, { serviceTier: tier, usage: USAGE }],
      cost: (consumption) => {
        asked.push(consumption);
        return 1n;
      },
    });
    const expected = {
      model: "m",
      answeredBy: "m-2026",
      serviceTier: tier,
      usage: expect.objectContaining({
        ...USAGE,
        totalTokens: 14,
        promptTokensDetails: expect.objectContaining({ cachedTokens: 3, cacheWriteTokens: 0 }),
      }),
    };
    expect(asked).toEqual([expected, expected]);
  });
});
