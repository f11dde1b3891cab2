import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type AnthropicModelRule,
  AnthropicModelRule_Sampling,
  AnthropicModelRuleSchema,
} from "../../gen/parley/config/v1/anthropic_pb.ts";
import { modelPattern } from "../model-pattern.ts";

/** What a model can do; see parley.config.v1.AnthropicModelRule. */
export type Capabilities = {
  readonly [K in Exclude<keyof AnthropicModelRule, "$typeName" | "$unknown" | "match">]-?: NonNullable<
    AnthropicModelRule[K]
  >;
};

type Row = MessageInitShape<typeof AnthropicModelRuleSchema> & { readonly match: string };

/** What is known of all of Anthropic's models; a row says what is different. */
const BASE: Capabilities = {
  maxOutputTokens: 64_000,
  structuredOutput: false,
  thinkingBudget: false,
  adaptiveThinking: false,
  effort: false,
  xhighEffort: false,
  thinkingOff: true,
  thinkingBetweenTools: false,
  sampling: AnthropicModelRule_Sampling.ALL,
  prefill: true,
  forcedToolChoice: true,
  midSystem: false,
};

const V4_1 = {
  maxOutputTokens: 32_000,
  structuredOutput: true,
  thinkingBudget: true,
  sampling: AnthropicModelRule_Sampling.ONE,
} as const;
const V4_5 = { ...V4_1, maxOutputTokens: 64_000 } as const;
const V4_6 = { ...V4_5, maxOutputTokens: 128_000, adaptiveThinking: true, effort: true, prefill: false } as const;
const V4_7 = {
  ...V4_6,
  thinkingBudget: false,
  xhighEffort: true,
  sampling: AnthropicModelRule_Sampling.NONE,
} as const;
const V5 = { ...V4_7, midSystem: true } as const;
const V5_5 = { ...V5, thinkingOff: false, forcedToolChoice: false } as const;

/**
 * The models, oldest first; the first row that matches counts. A name that no row matches is one of a newer model, and gets the newest
 * row. They match names in Anthropic's own spelling: see `spell`.
 */
export const MODELS: readonly Row[] = [
  { match: "claude-(?:instant|v?2|3-(?:opus|sonnet|haiku))", maxOutputTokens: 4_096 },
  { match: "claude-3-5-", maxOutputTokens: 8_192 },
  { match: "claude-3-7-", thinkingBudget: true },
  // A version is a number of one or two digits; a day, which may follow it, has eight.
  { match: "(?:opus|sonnet|haiku)-4-[1-4](?!\\d)", ...V4_1 },
  { match: "opus-4-5(?!\\d)", ...V4_5, effort: true },
  { match: "(?:sonnet|haiku)-4-5(?!\\d)", ...V4_5 },
  { match: "-4-6(?!\\d)", ...V4_6 },
  { match: "opus-4-8(?!\\d)", ...V4_7, midSystem: true },
  { match: "-4-[789](?!\\d)", ...V4_7 },
  { match: "opus-4(?:-0)?(?!-?\\d{1,2}(?!\\d))", maxOutputTokens: 32_000, thinkingBudget: true },
  { match: "(?:sonnet|haiku)-4(?:-0)?(?!-?\\d{1,2}(?!\\d))", thinkingBudget: true },
  { match: "fable-5(?!-?\\d{1,2}(?!\\d))", ...V5, thinkingOff: false },
  { match: "[a-z]-5(?!-?\\d{1,2}(?!\\d))", ...V5 },
  { match: "haiku-5-5(?!\\d)", ...V5_5, thinkingOff: true, forcedToolChoice: true },
  { match: "sonnet-5-5(?!\\d)", ...V5_5, thinkingBetweenTools: true },
  { match: "", ...V5_5 },
];

/** Says what a model can do. */
export type CapabilitiesOf = (model: string) => Capabilities;

/**
 * Makes the lookup of capabilities: the configured rules win over the table, field by field. Fails with INVALID_VALUE on a rule whose
 * pattern is no regular expression.
 */
export function createCapabilities(rules: readonly AnthropicModelRule[], version: string): CapabilitiesOf {
  const configured = rules.map((rule, index) => ({
    pattern: modelPattern(rule.match, `models[${index}].match`),
    given: givenBy(rule),
  }));
  const isWithoutSampling = version >= NO_SAMPLING;
  return (model) => {
    const name = spell(model);
    const row = TABLE.find(({ pattern }) => pattern.test(name));
    const capabilities = { ...BASE, ...row?.given };
    for (const { pattern, given } of configured.toReversed())
      if (pattern.test(model)) Object.assign(capabilities, given);
    return isWithoutSampling ? { ...capabilities, sampling: AnthropicModelRule_Sampling.NONE } : capabilities;
  };
}

/** Relays write "claude-sonnet-4.5" and "claude-4-sonnet" for claude-sonnet-4-5 and claude-sonnet-4. */
const spell = (model: string): string =>
  model
    .toLowerCase()
    .replace(/(\d)\.(?=\d)/g, "$1-")
    .replace(/claude-((?:[4-9]|\d\d)(?:-\d{1,2})?)-([a-z]+)/, "claude-$2-$1");

/** Version of the API from which on no model takes temperature, top_p and top_k. */
const NO_SAMPLING = "2026-10-21";

/** The fields that a rule sets. */
function givenBy({ match, $typeName, $unknown, ...fields }: AnthropicModelRule): Partial<Capabilities> {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([name, value]) =>
        value !== undefined && !(name === "sampling" && value === AnthropicModelRule_Sampling.UNSPECIFIED),
    ),
  );
}

const TABLE = MODELS.map((row) => ({
  pattern: new RegExp(row.match),
  given: givenBy(create(AnthropicModelRuleSchema, row)),
}));
