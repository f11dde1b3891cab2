import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ServiceTier } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import {
  ChatCompletionParamsSchema,
  OutputModality,
  ReasoningEffort,
  Verbosity,
} from "../../src/gen/parley/chat/v1/params_pb.ts";
import { Adjustment_Action } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import {
  applyTable,
  isGiven,
  type ParameterName,
  type ParameterTable,
  type Treatment,
  unsupportedValue,
  wireName,
} from "../../src/providers/parameter-table.ts";

type Init = MessageInitShape<typeof ChatCompletionParamsSchema>;
const paramsOf = (init: Init) => create(ChatCompletionParamsSchema, init);

/** Every parameter; what the gateway reads itself is none. */
const NAMES = ChatCompletionParamsSchema.fields
  .map(({ localName }) => localName)
  .filter(
    (name) => !["model", "messages", "stream", "streamOptions", "async", "extra"].includes(name),
  ) as ParameterName[];
const tableOf = (rest: Partial<ParameterTable>): ParameterTable =>
  Object.fromEntries(
    NAMES.map((name): [string, Treatment] => [name, rest[name] ?? { kind: "passed" }]),
  ) as ParameterTable;

describe("wireName()", () => {
  it.each<[ParameterName, string]>([
    ["n", "n"],
    ["topLogprobs", "top_logprobs"],
    ["maxCompletionTokens", "max_completion_tokens"],
    ["responseFormat", "response_format"],
  ])("of %s is %s", (name, expected) => {
    expect(wireName(name)).toBe(expected);
  });
});

describe("isGiven()", () => {
  it.each<[ParameterName, Init]>([
    ["temperature", { temperature: 0 }],
    ["topP", { topP: 1 }],
    ["seed", { seed: 0n }],
    ["n", { n: 2 }],
    ["store", { store: true }],
    ["logprobs", { logprobs: true }],
    ["topLogprobs", { topLogprobs: 1 }],
    ["frequencyPenalty", { frequencyPenalty: 0.5 }],
    ["presencePenalty", { presencePenalty: -0.5 }],
    ["parallelToolCalls", { parallelToolCalls: false }],
    ["serviceTier", { serviceTier: ServiceTier.FLEX }],
    ["modalities", { modalities: [OutputModality.TEXT, OutputModality.AUDIO] }],
    ["responseFormat", { responseFormat: { format: { case: "jsonObject", value: {} } } }],
    ["stop", { stop: ["a"] }],
    ["metadata", { metadata: { a: "b" } }],
    ["logitBias", { logitBias: { "1": 0 } }],
    ["reasoningEffort", { reasoningEffort: ReasoningEffort.NONE }],
    ["verbosity", { verbosity: Verbosity.LOW }],
  ])("%s is, as %o", (name, init) => {
    expect(isGiven(paramsOf(init), name)).toBe(true);
  });

  it.each<[ParameterName, Init]>([
    ["n", { n: 1 }],
    ["store", { store: false }],
    ["logprobs", { logprobs: false }],
    ["topLogprobs", { topLogprobs: 0 }],
    ["frequencyPenalty", { frequencyPenalty: 0 }],
    ["presencePenalty", { presencePenalty: 0 }],
    ["parallelToolCalls", { parallelToolCalls: true }],
    ["serviceTier", { serviceTier: ServiceTier.AUTO }],
    ["verbosity", { verbosity: Verbosity.MEDIUM }],
    ["modalities", { modalities: [OutputModality.TEXT] }],
    ["responseFormat", { responseFormat: { format: { case: "text", value: {} } } }],
    ["stop", { stop: [] }],
    ["metadata", { metadata: {} }],
  ])("%s is not, as %o, which says what is so anyway", (name, init) => {
    expect(isGiven(paramsOf(init), name)).toBe(false);
  });

  it("nothing is, of an empty request", () => {
    expect(NAMES.filter((name) => isGiven(paramsOf({}), name))).toEqual([]);
  });
});

describe("applyTable()", () => {
  const table = tableOf({
    seed: { kind: "dropped", why: "the model has no seed" },
    topLogprobs: { kind: "dropped", why: "no logprobs" },
    user: { kind: "dropped", why: "no users" },
    serviceTier: { kind: "dropped", why: "one tier" },
    store: { kind: "dropped", why: "no store" },
    n: { kind: "refused", why: "it answers once" },
    verbosity: { kind: "mapped", as: "effort" },
  });

  it("says nothing of what is passed, mapped, not given, or said anyway", () => {
    expect(applyTable(paramsOf({ temperature: 0.5, verbosity: Verbosity.LOW, n: 1, topLogprobs: 0 }), table)).toEqual(
      [],
    );
  });

  it("reports what is dropped: numbers and words of the contract with their value, texts without", () => {
    const params = paramsOf({ topLogprobs: 3, user: "somebody", seed: 5n, serviceTier: ServiceTier.FLEX, store: true });
    const adjustments = applyTable(params, table);
    expect(adjustments.map(({ path, action, reason, before }) => [path, action, reason, before?.kind.value])).toEqual(
      expect.arrayContaining([
        ["top_logprobs", Adjustment_Action.DROPPED, "no logprobs", 3],
        ["user", Adjustment_Action.DROPPED, "no users", undefined],
        ["seed", Adjustment_Action.DROPPED, "the model has no seed", 5],
        ["service_tier", Adjustment_Action.DROPPED, "one tier", "flex"],
        ["store", Adjustment_Action.DROPPED, "no store", true],
      ]),
    );
    expect(adjustments).toHaveLength(5);
    const [seed] = applyTable(paramsOf({ seed: 2n ** 60n }), table);
    expect(seed?.before?.kind.value).toBe("1152921504606846976");
  });

  it("refuses what would change the answer", () => {
    expect(() => applyTable(paramsOf({ n: 2 }), table)).toThrow(
      expect.objectContaining({
        reason: Reason.UNSUPPORTED_PARAMETER,
        message: "n: it answers once",
        details: expect.objectContaining({ param: "n" }),
      }),
    );
  });
});

describe("unsupportedValue()", () => {
  it("names the place, and the code where it is known", () => {
    expect(unsupportedValue("messages[0].content[1]", "no ears", "invalid_audio")).toMatchObject({
      reason: Reason.UNSUPPORTED_VALUE,
      message: "messages[0].content[1]: no ears",
      details: { param: "messages[0].content[1]", code: "invalid_audio" },
    });
  });
});
