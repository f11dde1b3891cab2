import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type GoogleModelRule,
  type GoogleModelRuleSchema,
  GoogleModelRule_Level as Level,
  GoogleModelRule_Thinking as Thinking,
} from "../../gen/parley/config/v1/google_pb.ts";
import { modelPattern } from "../model-pattern.ts";

type Rule = MessageInitShape<typeof GoogleModelRuleSchema>;

/** What a model can do: every question of a rule, answered. */
export type Capabilities = {
  readonly [K in Exclude<keyof GoogleModelRule, "$typeName" | "$unknown" | "match">]-?: Exclude<
    GoogleModelRule[K],
    undefined
  >;
};

/**
 * What is known of Google's models. For each question the first row counts that matches the model and answers it, so rows of
 * exceptions come first. The last one matches everything: a newer model is taken to be like the newest.
 */
const TABLE: readonly Rule[] = [
  { match: "gemma", thinking: Thinking.NONE, systemInstruction: false, signaturesRequired: false },
  { match: "gemma", jsonWithTools: false, searchWithTools: false, mediaInResults: false, jsonSchema: false },
  { match: "gemini-(?:1|2\\.0)", thinking: Thinking.NONE, penalties: true, jsonSchema: false },
  { match: "gemini-2\\.5-flash-image", thinking: Thinking.NONE },
  { match: "gemini-2\\.5-flash-lite", minThinkingBudget: 512 },
  { match: "gemini-2\\.5-pro", minThinkingBudget: 128, maxThinkingBudget: 32_768, thinkingOff: false },
  { match: "gemini-2", thinking: Thinking.BUDGET, minThinkingBudget: 1, maxThinkingBudget: 24_576, thinkingOff: true },
  {
    match: "gemini-[12]|^learnlm|-er-1\\.",
    signaturesRequired: false,
    jsonWithTools: false,
    searchWithTools: false,
    mediaInResults: false,
    maxCandidates: 8,
  },
  { match: "gemini-3.*pro-image", thinking: Thinking.BUDGET, minThinkingBudget: 128, maxThinkingBudget: 32_768 },
  { match: "gemini-3-pro", thinkingLevels: [Level.LOW, Level.HIGH] },
  { match: "gemini-\\d.*pro", thinkingLevels: [Level.LOW, Level.MEDIUM, Level.HIGH] },
  {
    match: "",
    thinking: Thinking.LEVEL,
    minThinkingBudget: 128,
    maxThinkingBudget: 32_768,
    thinkingOff: false,
    thinkingLevels: [Level.MINIMAL, Level.LOW, Level.MEDIUM, Level.HIGH],
    signaturesRequired: true,
    jsonWithTools: true,
    jsonSchema: true,
    searchWithTools: true,
    mediaInResults: true,
    mediaByUrl: false,
    penalties: false,
    logprobs: true,
    maxCandidates: 1,
    systemInstruction: true,
  },
];

interface Row {
  readonly pattern: RegExp;
  readonly answers: Partial<Capabilities>;
}

/** Answers what a model can do, by its name. */
export type CapabilitiesOf = (model: string) => Capabilities;

/**
 * Prepares the answers, with rules that win over the table. `path`: the rules' path in the configuration. Throws INVALID_VALUE for
 * what is no regular expression.
 */
export function createCapabilities(rules: readonly GoogleModelRule[], path: string): CapabilitiesOf {
  const rows = [
    ...rules.map((rule, at) => compile(rule, `${path}[${at}].match`)),
    ...TABLE.map((rule, at) => compile(rule, `table[${at}].match`)),
  ];
  return (model) => {
    const name = model.replace(/^models\//, "");
    // Later rows first, so that earlier ones overwrite them.
    return Object.assign(
      {},
      ...rows
        .filter(({ pattern }) => pattern.test(name))
        .map(({ answers }) => answers)
        .reverse(),
    ) as Capabilities;
  };
}

function compile({ $typeName: _type, match = "", ...said }: Rule, path: string): Row {
  const answers = Object.entries(said).filter(([, value]) => isAnswer(value));
  return { pattern: modelPattern(match, path, "i"), answers: Object.fromEntries(answers) as Partial<Capabilities> };
}

/** Unset enums and lists are zeros and empty lists; a bool or a number that is unset is not there. */
const isAnswer = (value: unknown): boolean =>
  value !== undefined && value !== 0 && !(Array.isArray(value) && value.length === 0);
