/** Vendors that think, call two tools, and must get their thoughts back with the results, each in its own form. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Reply } from "./upstream.ts";
import { KEY } from "./use-vendors.ts";
import { anthropicAnswer, googleAnswer, openaiAnswer, type VendorCall, type Vendors } from "./vendors.ts";

const THOUGHT = "Two cities, and so two looks.";

/** Ids of calls are others in each round. */
const roundOf = ({ body }: VendorCall): number => (body["messages"] as JsonValue[]).length;

const anthropicBlocks = (round: number): readonly JsonObject[] => [
  { type: "thinking", thinking: THOUGHT, signature: "signed-by-anthropic+/==" },
  { type: "redacted_thinking", data: "hidden-by-anthropic" },
  { type: "text", text: "I look." },
  { type: "tool_use", id: `toolu_A${round}`, name: "look", input: { city: "A" } },
  { type: "tool_use", id: `toolu_B${round}`, name: "look", input: { city: "B" } },
];

const GOOGLE: readonly JsonObject[] = [
  { text: THOUGHT, thought: true },
  { functionCall: { name: "look", args: { city: "A" } }, thoughtSignature: "signed-by-google+/==" },
  { functionCall: { name: "look", args: { city: "B" } } },
];

const openaiCalls = (round: number): JsonObject[] =>
  ["A", "B"].map((city) => ({
    id: `call_${city}${round}`,
    type: "function",
    function: { name: "look", arguments: JSON.stringify({ city }) },
  }));

const OPENROUTER: JsonObject[] = [
  {
    type: "reasoning.text",
    text: THOUGHT,
    signature: "signed-for-openrouter",
    format: "anthropic-claude-v1",
    index: 0,
  },
  { type: "reasoning.encrypted", data: "hidden-for-openrouter", format: "anthropic-claude-v1", id: "r-1", index: 1 },
];

const callDeltas = (round: number): JsonObject[] =>
  openaiCalls(round).flatMap((call, index) => [
    { tool_calls: [{ ...call, index, function: { name: "look", arguments: "" } }] },
    { tool_calls: [{ index, function: { arguments: (call["function"] as JsonObject)["arguments"] ?? "" } }] },
  ]);

const half = THOUGHT.length >> 1;
const HALVES = [THOUGHT.slice(0, half), THOUGHT.slice(half)];

/** A vendor that thinks. */
export interface Thinker {
  /** "provider/model". */
  readonly model: string;
  /** Its provider's entry. */
  entry(vendors: Vendors): JsonObject;
  /** Its answer to a call without results: thoughts and two calls. */
  think(call: VendorCall): Reply;
  /** What it has to get back: the part of a request's body that has the answer in it. */
  readonly wanted: JsonValue;
  /** That part of a body. */
  readBack(body: JsonObject): JsonValue | undefined;
  /** What nobody else may get. */
  readonly secrets: readonly string[];
}

const at = (value: JsonValue | undefined, ...path: (string | number)[]): JsonValue | undefined =>
  path.reduce<JsonValue | undefined>(
    (place, key) => (place as Record<string | number, JsonValue> | undefined)?.[key],
    value,
  );

/** The vendors. */
export const THINKERS = {
  anthropic: {
    model: "anthropic/claude-sonnet-4-5",
    entry: ({ baseUrl }) => ({
      id: "anthropic",
      anthropic: { base_url: baseUrl("anthropic", "anthropic"), api_key: KEY },
    }),
    think: (call) => anthropicAnswer(call, anthropicBlocks(roundOf(call)), "tool_use"),
    wanted: [...anthropicBlocks(1)],
    readBack: (body) => at(body, "messages", 1, "content"),
    secrets: ["signed-by-anthropic", "hidden-by-anthropic"],
  },
  google: {
    model: "google/gemini-3-flash-preview",
    entry: ({ baseUrl }) => ({ id: "google", google: { base_url: baseUrl("google", "google"), api_key: KEY } }),
    think: (call) => googleAnswer(call, GOOGLE),
    wanted: GOOGLE.slice(1),
    readBack: (body) => at(body, "contents", 1, "parts"),
    secrets: ["signed-by-google"],
  },
  deepseek: {
    model: "deepseek/deepseek-reasoner",
    entry: ({ baseUrl }) => ({
      id: "deepseek",
      openai_compatible: { base_url: baseUrl("deepseek", "openai"), api_key: KEY, vendor: "deepseek" },
    }),
    think: (call) =>
      openaiAnswer(call, {
        message: { content: "", reasoning_content: THOUGHT, tool_calls: openaiCalls(roundOf(call)) },
        deltas: [
          { role: "assistant", content: "" },
          ...HALVES.map((reasoning_content) => ({ reasoning_content })),
          ...callDeltas(roundOf(call)),
        ],
        finish: "tool_calls",
      }),
    wanted: THOUGHT,
    readBack: (body) => at(body, "messages", 1, "reasoning_content"),
    secrets: [],
  },
  openrouter: {
    model: "openrouter/anthropic/claude-sonnet-4.5",
    entry: ({ baseUrl }) => ({
      id: "openrouter",
      openai_compatible: { base_url: baseUrl("openrouter", "openai"), api_key: KEY, vendor: "openrouter" },
    }),
    think: (call) =>
      openaiAnswer(call, {
        message: {
          content: "",
          reasoning: THOUGHT,
          reasoning_details: OPENROUTER,
          tool_calls: openaiCalls(roundOf(call)),
        },
        deltas: [
          { role: "assistant", content: "" },
          ...HALVES.map((text) => ({
            reasoning: text,
            reasoning_details: [{ type: "reasoning.text", text, format: "anthropic-claude-v1", index: 0 }],
          })),
          {
            reasoning_details: [
              {
                type: "reasoning.text",
                signature: "signed-for-openrouter",
                format: "anthropic-claude-v1",
                index: 0,
              },
            ],
          },
          { reasoning_details: OPENROUTER.slice(1) },
          ...callDeltas(roundOf(call)),
        ],
        finish: "tool_calls",
      }),
    wanted: OPENROUTER,
    readBack: (body) => at(body, "messages", 1, "reasoning_details"),
    secrets: ["signed-for-openrouter", "hidden-for-openrouter"],
  },
} as const satisfies Record<string, Thinker>;

/** Whether what was said last in a call are results of tools. */
function hasResults({ api, body }: VendorCall): boolean {
  const last = (body[api === "google" ? "contents" : "messages"] as JsonObject[]).at(-1) ?? {};
  const parts = last[api === "google" ? "parts" : "content"];
  const part = JSON.stringify(Array.isArray(parts) ? parts.at(-1) : parts);
  return last["role"] === "tool" || /"type":"tool_result"|"functionResponse"/.test(part);
}

/** Answers as the vendor does that is called: thoughts and calls first, and the least answer to results. */
export function answerThinking(call: VendorCall): Reply | undefined {
  const thinker: Thinker | undefined = Object.hasOwn(THINKERS, call.vendor)
    ? THINKERS[call.vendor as keyof typeof THINKERS]
    : undefined;
  return hasResults(call) ? undefined : thinker?.think(call);
}
