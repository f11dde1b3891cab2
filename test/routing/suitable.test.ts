import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { type Facts, Need } from "../../src/routing/abilities.ts";
import type { Demand } from "../../src/routing/demand.ts";
import { exclusionsOf, isSuitable } from "../../src/routing/suitable.ts";
import { idleTarget, NO_DEMAND } from "./support/targets.ts";

const exclusions = (
  facts: Partial<Facts>,
  demand: Partial<Demand>,
  params: MessageInitShape<typeof ChatCompletionParamsSchema> = {},
) => exclusionsOf(idleTarget("a", facts), { ...NO_DEMAND, ...demand }, create(ChatCompletionParamsSchema, params));
const suits = (facts: Partial<Facts>, demand: Partial<Demand>): boolean =>
  isSuitable(idleTarget("a", facts), { ...NO_DEMAND, ...demand });

describe("isSuitable(), exclusionsOf()", () => {
  it.each<readonly [string, Partial<Facts>, Partial<Demand>, boolean]>([
    ["takes one of which nothing is known", {}, { needs: 1023, choices: 128, promptTokens: 10 ** 9 }, true],
    ["takes one that lacks what is not needed", { lacks: Need.AUDIO }, { needs: Need.TOOLS }, true],
    ["refuses one that lacks what is needed", { lacks: Need.AUDIO | Need.TOOLS }, { needs: Need.TOOLS }, false],
    ["takes as many answers as it gives", { maxChoices: 4 }, { choices: 4 }, true],
    ["refuses more answers than it gives", { maxChoices: 4 }, { choices: 5 }, false],
    ["takes a context with room for an answer", { contextWindow: 101 }, { promptTokens: 100 }, true],
    ["refuses a context that the messages fill", { contextWindow: 100 }, { promptTokens: 100 }, false],
  ])("%s", (_what, facts, demand, isTaken) => {
    expect(suits(facts, demand)).toBe(isTaken);
    expect(exclusions(facts, demand).length === 0).toBe(isTaken);
  });
});

describe("exclusionsOf()", () => {
  it.each(Object.entries(Need))("says in words who lacks %s", (_name, need) => {
    const all = exclusions({ lacks: 1023 }, { needs: need });
    expect(all).toEqual([
      {
        reason: Reason.UNSUPPORTED_PARAMETER,
        path: expect.stringMatching(/./),
        description: expect.stringMatching(/^the model /),
      },
    ]);
  });

  it("tells all at once", () => {
    const facts = { lacks: Need.TOOLS | Need.IMAGES | Need.FILES, maxChoices: 1, contextWindow: 50 };
    const demand = { needs: Need.TOOLS | Need.IMAGES, choices: 2, promptTokens: 60 };
    const messages = [
      { content: [{ kind: { case: "text" as const, value: "a" } }] },
      {
        content: [{ kind: { case: "text" as const, value: "a" } }, { kind: { case: "imageUrl" as const, value: {} } }],
      },
    ];
    expect(exclusions(facts, demand, { functions: [{}], messages, n: 2 })).toEqual([
      { reason: Reason.UNSUPPORTED_PARAMETER, path: "functions", description: "the model does not call tools" },
      {
        reason: Reason.UNSUPPORTED_PARAMETER,
        path: "messages[1].content[1]",
        description: "the model reads no images",
      },
      { reason: Reason.UNSUPPORTED_VALUE, path: "n", description: "the model gives 1 at most" },
      {
        reason: Reason.CONTEXT_LENGTH_EXCEEDED,
        path: "messages",
        description: "the messages have 60 tokens or more; the model's context has 50",
      },
    ]);
  });
});
