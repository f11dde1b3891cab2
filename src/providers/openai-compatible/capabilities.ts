import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  OpenAIQuirks_InstructionRole as InstructionRole,
  type OpenAIModelRuleSchema,
  OpenAIModelRule_Taken as Taken,
} from "../../gen/parley/config/v1/openai_compatible_pb.ts";

type Rule = MessageInitShape<typeof OpenAIModelRuleSchema>;

/** Models of the days before reasoning. They take "developer" as "system". */
const classic: Omit<Rule, "match"> = { reasoning: false, instructionRole: InstructionRole.SYSTEM };

/** Models that always reason. */
const reasoning: Omit<Rule, "match"> = {
  tokenLimit: "max_completion_tokens",
  sampling: Taken.NEVER,
  logprobs: Taken.NEVER,
  penalties: Taken.NEVER,
  reasoning: true,
  instructionRole: InstructionRole.DEVELOPER,
};

/** Models that reason unless they are told not to. */
const optional: Omit<Rule, "match"> = {
  ...reasoning,
  sampling: Taken.WITHOUT_REASONING,
  logprobs: Taken.WITHOUT_REASONING,
};

/** Newest models: they have no `prompt_cache_retention` any more. */
const newest: Omit<Rule, "match"> = { ...optional, promptCacheRetention: false };

/**
 * What OpenAI's models can take; the first row that matches counts. A name may have a prefix, as fine-tuned models have
 * ("ft:gpt-4o-mini:…").
 */
export const OPENAI_MODELS: readonly Rule[] = [
  { ...classic, match: "\\bgpt-4o(-mini)?-search-preview", sampling: Taken.NEVER, penalties: Taken.NEVER },
  // The models of the chat application do not reason.
  { ...classic, match: "\\bgpt-[5-9][\\d.]*-chat" },
  { ...classic, match: "\\b(gpt-(3\\.5|35|4|audio|image|realtime)|chatgpt-4o)(?!\\d)" },
  { ...reasoning, match: "\\b(o3|o4-mini)(?![a-z\\d])", stop: false },
  { ...reasoning, match: "\\b(o\\d|codex-mini)(?![\\d])" },
  { ...reasoning, match: "\\bgpt-5(?![.\\d])" },
  { ...optional, match: "\\bgpt-5\\.\\d" },
  { ...newest, match: "\\bgpt-([6-9]|\\d\\d)(?!\\d)" },
];

/** The last row for OpenAI itself: a model that is not known is a newer one. */
export const OPENAI_FALLBACK: Rule = { ...newest, match: "" };
