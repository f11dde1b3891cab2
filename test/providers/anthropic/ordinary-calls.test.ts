import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { describeAdjustment, plan } from "./support.ts";

/** A model of each generation. */
const NON_THINKING = ["claude-3-haiku-20240307", "claude-3-5-sonnet-20241022"];
const EARLY = ["claude-3-7-sonnet-20250219", "claude-sonnet-4-20250514", "claude-opus-4-20250514"];
const BUDGET = ["claude-opus-4-1-20250805", "claude-haiku-4-5", "claude-opus-4-5-20251101"];
const LATE = ["claude-sonnet-4-6", "claude-opus-4-7", "claude-opus-4-8", "claude-sonnet-5", "claude-fable-5"];
const NEWEST = ["claude-fable-5-1", "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"];
const THINKING = [...EARLY, ...BUDGET, ...LATE, ...NEWEST];
const ALL = [...NON_THINKING, ...THINKING];

const PARAMETERS = {
  type: "object",
  properties: { harbour: { type: "string", description: "Which" }, days: { type: ["integer", "null"] } },
  required: ["harbour", "days"],
  additionalProperties: false,
};
const tool = (more: JsonObject = {}) => ({
  type: "function",
  function: { name: "w", parameters: PARAMETERS, ...more },
});
const format: JsonObject = {
  type: "json_schema",
  json_schema: { name: "answer", description: "D", strict: true, schema: { title: "T", ...PARAMETERS } },
};
const image = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=", detail: "auto" } };

/** Calls of which nothing may be reported, since strict callers want them as they are. */
const CALLS: readonly (readonly [string, JsonObject, readonly string[]])[] = [
  [
    "a system prompt and a limit",
    {
      max_tokens: 100,
      messages: [
        { role: "system", content: "S" },
        { role: "user", content: "U" },
      ],
    },
    ALL,
  ],
  ["an image by data URL", { messages: [{ role: "user", content: [{ type: "text", text: "U" }, image] }] }, ALL],
  ["tools", { tools: [tool()], tool_choice: "auto", parallel_tool_calls: true }, ALL],
  ["a call at a time", { tools: [tool()], parallel_tool_calls: false }, ALL],
  ["strict tools", { tools: [tool({ strict: true })] }, [...BUDGET, ...LATE, ...NEWEST]],
  ["a forced call", { tools: [tool()], tool_choice: "required" }, [...NON_THINKING, ...EARLY, ...BUDGET, ...LATE]],
  ["a schema", { response_format: format }, ALL],
  ["an effort", { reasoning_effort: "medium", max_completion_tokens: 4000 }, THINKING],
  ["an effort and tools", { reasoning_effort: "high", tools: [tool()] }, THINKING],
  ["an effort and a schema", { reasoning_effort: "low", response_format: format }, [...BUDGET, ...LATE, ...NEWEST]],
  [
    "what is so anyway",
    {
      n: 1,
      temperature: 1,
      top_p: 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      logprobs: false,
      store: false,
      service_tier: "auto",
      verbosity: "medium",
      modalities: ["text"],
      logit_bias: {},
      metadata: {},
    },
    ALL,
  ],
  ["a temperature", { temperature: 0.2 }, [...NON_THINKING, ...EARLY, ...BUDGET, "claude-sonnet-4-6"]],
  ["stop sequences and a user", { stop: ["END", "\nUser:"], user: "ann" }, ALL],
  [
    "a loop of tools",
    {
      tools: [tool()],
      messages: [
        { role: "user", content: "U" },
        {
          role: "assistant",
          content: null,
          refusal: null,
          annotations: [],
          tool_calls: [{ id: "call_1", type: "function", function: { name: "w", arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: "call_1", content: "sun" },
      ],
    },
    ALL,
  ],
];

describe("an ordinary call", () => {
  const rows = CALLS.flatMap(([what, request, models]) => models.map((model) => [what, model, request] as const));

  it.each(rows)("with %s passes at %s without a report", (_what, model, request) => {
    expect(plan(request, { model }).adjustments.map(describeAdjustment)).toEqual([]);
  });
});
