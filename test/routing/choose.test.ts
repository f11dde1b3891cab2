import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { Need } from "../../src/routing/abilities.ts";
import { type Choice, choose, type Route } from "../../src/routing/choose.ts";
import type { Demand } from "../../src/routing/demand.ts";
import type { Target } from "../../src/routing/target.ts";
import { candidatesOf, idleTarget, idsOf, NO_DEMAND } from "./support/targets.ts";

const PARAMS = create(ChatCompletionParamsSchema, { tools: [{}], n: 4 });
const a = idleTarget("a");
const b = idleTarget("b");
const c = idleTarget("c");
const toolless = idleTarget("toolless", { lacks: Need.TOOLS });
const blind = idleTarget("blind", { lacks: Need.IMAGES | Need.TOOLS });

const route = (targets: readonly Target[], more: Partial<Route> = {}): Route => ({
  candidates: candidatesOf(...targets),
  policy: "quality",
  weights: new Map(),
  isAuto: false,
  ...more,
});
const chosen = (routes: readonly Route[], demand: Partial<Demand> = {}): Choice =>
  choose(
    routes,
    { demand: { ...NO_DEMAND, ...demand }, streaming: false, now: Date.now(), random: Math.random },
    PARAMS,
  );
const short = ({ chosen: asked, unsuitable }: Choice): string => `${idsOf(asked)} | ${idsOf(unsuitable)}`;

const TOOLS = { needs: Need.TOOLS };
const AUTO = { isAuto: true };

describe("choose()", () => {
  it.each<readonly [string, readonly Route[], Partial<Demand>, string]>([
    ["takes all that suit, in order", [route([a, b])], {}, "a,b | "],
    ["leaves out who does not suit", [route([toolless, a, blind, b])], TOOLS, "a,b | toolless,blind"],
    ["asks the only one named, whatever is known of it", [route([toolless])], TOOLS, "toolless | "],
    ["asks all that are named where none suits", [route([toolless, blind])], TOOLS, "toolless,blind | "],
    ["appends the routes after the first", [route([a]), route([b]), route([c])], {}, "a,b,c | "],
    ["has nobody twice", [route([a, b]), route([b, c, a])], {}, "a,b,c | "],
    ["has nobody twice among those that don't suit", [route([toolless, a]), route([toolless])], TOOLS, "a | toolless"],
    ["asks who suits of the later routes alone", [route([toolless]), route([a])], TOOLS, "a | toolless"],
    [
      "asks those that are named rather than none",
      [route([toolless]), route([blind], AUTO)],
      TOOLS,
      "toolless | blind",
    ],
    ["takes of auto who suits", [route([toolless, a], AUTO)], TOOLS, "a | toolless"],
    ["minds the policy of each route", [route([c, b, a], { weights: new Map([["a/m", 1]]) })], {}, "a,c,b | "],
  ])("%s", (_what, routes, demand, expected) => {
    expect(short(chosen(routes, demand))).toBe(expected);
  });

  it("asks nobody for auto that can't give what is asked for, and says what is missing", () => {
    expect(() => chosen([route([toolless, blind], AUTO)], TOOLS)).toThrow(
      expect.objectContaining({
        reasonName: "UNSUPPORTED_PARAMETER",
        message: "tools: toolless/m: the model does not call tools, and none of the others (1) suits either",
        details: { param: "tools" },
      }),
    );
  });

  it("speaks of no others where there are none", () => {
    const small = idleTarget("small", { maxChoices: 1 });
    expect(() => chosen([route([small], AUTO)], { choices: 4 })).toThrow(
      expect.objectContaining({
        reasonName: "UNSUPPORTED_VALUE",
        message: "n: small/m: the model gives 1 at most",
        details: { param: "n" },
      }),
    );
  });
});
