import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { Modality, ModelSchema } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import type { Abilities } from "../../src/providers/provider.ts";
import { type Facts, factsOf, Need } from "../../src/routing/abilities.ts";
import { NO_FACTS } from "./support/targets.ts";

const facts = (abilities: Abilities, listed?: MessageInitShape<typeof ModelSchema>): Facts =>
  factsOf(abilities, listed && create(ModelSchema, listed));

describe("factsOf()", () => {
  it.each<readonly [string, Abilities, MessageInitShape<typeof ModelSchema> | undefined, number]>([
    ["nothing of a model that is not listed", {}, undefined, 0],
    ["nothing of one that is listed and no more", {}, { id: "m" }, 0],
    ["nothing against one that can do all", { tools: true, images: true, speech: true }, undefined, 0],
    ["what the translator says", { tools: false, logprobs: false }, undefined, Need.TOOLS | Need.LOGPROBS],
    [
      "each of them",
      { parallelTools: false, structuredOutput: false },
      undefined,
      Need.ONE_TOOL_AT_A_TIME | Need.STRUCTURED_OUTPUT,
    ],
    ["what the provider lists", {}, { tools: false }, Need.TOOLS],
    [
      "what one of the two says, whatever the other does",
      { tools: true, reasoning: false },
      { tools: false },
      Need.TOOLS | Need.REASONING,
    ],
    [
      "what it does not read",
      {},
      { inputModalities: [Modality.TEXT, Modality.IMAGE] },
      Need.AUDIO | Need.VIDEO | Need.FILES,
    ],
    [
      "what the translator can't pass on, though it reads it",
      { images: false },
      { inputModalities: [Modality.TEXT, Modality.IMAGE, Modality.AUDIO, Modality.VIDEO, Modality.FILE] },
      Need.IMAGES,
    ],
    ["that it does not speak", {}, { outputModalities: [Modality.TEXT] }, Need.SPEECH],
    ["that it speaks", {}, { outputModalities: [Modality.TEXT, Modality.AUDIO] }, 0],
  ])("knows %s", (_what, abilities, listed, lacks) => {
    expect(facts(abilities, listed).lacks).toBe(lacks);
  });

  it("takes what is not known to be there", () => {
    expect(facts({})).toEqual(NO_FACTS);
  });

  it("reads bounds and prices", () => {
    const listed = { contextWindow: 8_192, pricing: { input: 2_000_000n, output: 500_000n } };
    expect(facts({ maxChoices: 8 }, listed)).toEqual({
      lacks: 0,
      maxChoices: 8,
      contextWindow: 8_192,
      price: { input: 2, output: 0.5 },
    });
  });

  it.each([["input"], ["output"]])("knows no price by the half of it (%s)", (half) => {
    expect(facts({}, { pricing: { [half]: 1n } }).price).toBeUndefined();
  });

  it("knows that something is free", () => {
    expect(facts({}, { pricing: { input: 0n, output: 0n } }).price).toEqual({ input: 0, output: 0 });
  });
});
