import { create, type JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ChatCompletionParamsSchema, ReasoningEffort } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { readReasoning } from "../../src/providers/reasoning-request.ts";

const { UNSPECIFIED, NONE, MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX } = ReasoningEffort;

const read = (extra: JsonObject | undefined, reasoningEffort = UNSPECIFIED) =>
  readReasoning(create(ChatCompletionParamsSchema, { reasoningEffort, ...(extra === undefined ? {} : { extra }) }));

describe("readReasoning()", () => {
  it.each([UNSPECIFIED, NONE, MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX])("reads the effort %i", (effort) => {
    expect(read(undefined, effort)).toEqual({
      effort,
      path: "reasoning_effort",
      budget: undefined,
      wanted: undefined,
      keys: [],
      adjustments: [],
    });
  });

  it.each<[JsonObject, ReasoningEffort, number | undefined, string]>([
    [{ reasoning: { effort: "low" } }, LOW, undefined, "reasoning.effort"],
    [{ reasoning: { effort: "none" } }, NONE, undefined, "reasoning.effort"],
    [{ reasoning: { effort: "low", max_tokens: 5 } }, LOW, undefined, "reasoning.effort"],
    [{ reasoning: { max_tokens: 2000 } }, UNSPECIFIED, 2000, "reasoning.max_tokens"],
    [{ reasoning: { max_tokens: 0 } }, NONE, undefined, "reasoning.max_tokens"],
    [{ reasoning: { enabled: true, max_tokens: 2000 } }, UNSPECIFIED, 2000, "reasoning.max_tokens"],
    [{ reasoning: { enabled: true } }, MEDIUM, undefined, "reasoning.enabled"],
    [{ reasoning: { enabled: false } }, NONE, undefined, "reasoning.enabled"],
    [{ reasoning: { enabled: false, max_tokens: 5 } }, NONE, undefined, "reasoning.enabled"],
    [{ reasoning: { effort: "immense", max_tokens: -1 } }, UNSPECIFIED, undefined, "reasoning_effort"],
    [{ reasoning: {} }, UNSPECIFIED, undefined, "reasoning_effort"],
    [{ thinking: { type: "enabled", budget_tokens: 4096 } }, UNSPECIFIED, 4096, "thinking.budget_tokens"],
    [{ thinking: { type: "enabled" } }, MEDIUM, undefined, "thinking.type"],
    [{ thinking: { type: "adaptive" } }, HIGH, undefined, "thinking.type"],
    [{ thinking: { type: "disabled", budget_tokens: 4096 } }, NONE, undefined, "thinking.type"],
    [{ thinking: { budget_tokens: 0 } }, NONE, undefined, "thinking.budget_tokens"],
    [{ thinking: { type: "else", budget_tokens: 1.5 } }, UNSPECIFIED, undefined, "reasoning_effort"],
    [{ reasoning: { max_tokens: 7 }, thinking: { budget_tokens: 9 } }, UNSPECIFIED, 7, "reasoning.max_tokens"],
    [{ reasoning: { exclude: true }, thinking: { budget_tokens: 9 } }, UNSPECIFIED, 9, "thinking.budget_tokens"],
  ])("reads %j", (extra, effort, budget, path) => {
    expect(read(extra)).toMatchObject({ effort, budget, path, keys: Object.keys(extra) });
  });

  it("believes OpenAI's parameter before all others, and understands the others all the same", () => {
    const extra = { reasoning: { effort: "low", max_tokens: 5 }, thinking: { type: "disabled" } };
    const { adjustments, ...asked } = read(extra, HIGH);
    expect(adjustments.map(({ path }) => path)).toEqual(["reasoning.effort", "reasoning.max_tokens", "thinking.type"]);
    expect(asked).toEqual({
      effort: HIGH,
      path: "reasoning_effort",
      budget: undefined,
      wanted: undefined,
      keys: ["reasoning", "thinking"],
    });
  });

  it.each<[JsonObject, ReasoningEffort | undefined, string[]]>([
    [{ reasoning: { effort: "low", exclude: true } }, undefined, []],
    [{ reasoning: { effort: "low" } }, LOW, []],
    [{ reasoning: { enabled: true } }, HIGH, []],
    [{ reasoning: { enabled: false } }, HIGH, ["reasoning.enabled"]],
    [{ reasoning: { enabled: true, effort: "high" } }, undefined, []],
    [{ reasoning: { enabled: true, max_tokens: null } }, undefined, []],
    [{ reasoning: { effort: "immense", summary: "auto" } }, undefined, ["reasoning.effort", "reasoning.summary"]],
    [{ reasoning: { effort: "low", max_tokens: 5 } }, undefined, ["reasoning.max_tokens"]],
    [{ thinking: { type: "enabled", budget_tokens: 4096, display: "omitted" } }, undefined, []],
    [{ thinking: { type: "enabled", budget_tokens: 4096 } }, LOW, ["thinking.type", "thinking.budget_tokens"]],
    [{ thinking: { type: "enabled", budget_tokens: 1.5 } }, undefined, ["thinking.budget_tokens"]],
    [{ thinking: { type: "else" } }, undefined, ["thinking.type"]],
    [{ include_reasoning: true }, LOW, []],
  ])("does not follow all of %j beside effort %s", (extra, effort, ignored) => {
    expect(read(extra, effort).adjustments.map(({ path }) => path)).toEqual(ignored);
  });

  it.each<[JsonObject, boolean | undefined, string[]]>([
    [{ include_reasoning: true }, true, ["include_reasoning"]],
    [{ include_reasoning: false }, false, ["include_reasoning"]],
    [{ reasoning: { exclude: true } }, false, ["reasoning"]],
    [{ reasoning: { exclude: false } }, true, ["reasoning"]],
    [{ reasoning: { exclude: true }, include_reasoning: true }, false, ["reasoning", "include_reasoning"]],
    [{ thinking: { display: "omitted" } }, false, ["thinking"]],
    [{ thinking: { display: "summarized" } }, true, ["thinking"]],
    [{ thinking: { display: "else" } }, undefined, ["thinking"]],
    [{ reasoning: "high", thinking: [], include_reasoning: "yes", other: 1 }, undefined, []],
  ])("reads of %j whether the text is wanted", (extra, wanted, keys) => {
    expect(read(extra)).toMatchObject({ wanted, keys, effort: UNSPECIFIED });
  });
});
