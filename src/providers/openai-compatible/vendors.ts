import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  OpenAIQuirks_CallIds as CallIds,
  OpenAIQuirks_InstructionRole as InstructionRole,
  OpenAIQuirks_KeyHeader as KeyHeader,
  type OpenAIModelRuleSchema,
  type OpenAIQuirksSchema,
  OpenAIQuirks_ReasoningReplay as ReasoningReplay,
  OpenAIModelRule_Taken as Taken,
} from "../../gen/parley/config/v1/openai_compatible_pb.ts";
import { OPENAI_HOST } from "../openai-host.ts";
import { OPENAI_FALLBACK, OPENAI_MODELS } from "./capabilities.ts";

/** What is known of a vendor that copies OpenAI's API, in the words in which the configuration says it. */
export interface Vendor {
  /** Its word in the configuration. */
  readonly word: string;
  /** Hosts that are its own; undefined for software that anybody runs anywhere. */
  readonly host: RegExp | undefined;
  readonly quirks: MessageInitShape<typeof OpenAIQuirksSchema>;
  /** Rules of its models: the first one that matches counts. */
  readonly models: readonly MessageInitShape<typeof OpenAIModelRuleSchema>[];
}

/** Parameters of OpenAI's that servers with a strict schema refuse; none of them changes what is asked for. */
const OPENAI_ONLY = [
  "store",
  "metadata",
  "service_tier",
  "safety_identifier",
  "prompt_cache_key",
  "prompt_cache_options",
  "prompt_cache_retention",
  "verbosity",
];

const genuine: Vendor["quirks"] = {
  genuine: true,
  fileInput: true,
  newestParts: true,
  customTools: true,
  legacyFunctions: true,
};

/** What each vendor does differently. The first row whose host matches counts. */
export const VENDORS: readonly Vendor[] = [
  { word: "openai", host: OPENAI_HOST, quirks: genuine, models: [...OPENAI_MODELS, OPENAI_FALLBACK] },
  {
    word: "azure",
    host: /\.(openai|cognitiveservices|services\.ai)\.azure\.(com|us|cn)$/,
    quirks: { ...genuine, keyHeader: KeyHeader.API_KEY },
    // Deployments have any names: one that says nothing is taken at its word.
    models: OPENAI_MODELS,
  },
  {
    word: "openrouter",
    host: /(^|\.)openrouter\.ai$/,
    quirks: { reasoningReplay: ReasoningReplay.DETAILS, fileInput: true, videoInput: true },
    models: [],
  },
  {
    word: "groq",
    host: /(^|\.)groq\.com$/,
    quirks: { names: false, unsupported: ["n", "logprobs", "top_logprobs", "logit_bias"] },
    models: [],
  },
  {
    word: "mistral",
    host: /(^|\.)mistral\.ai$/,
    quirks: {
      tokenLimit: "max_tokens",
      streamOptions: false,
      seed: "random_seed",
      requiredChoice: "any",
      instructionRole: InstructionRole.SYSTEM,
      callIds: CallIds.NINE,
      names: false,
      unsupported: [
        ...OPENAI_ONLY.filter((name) => name !== "metadata"),
        "user",
        "logprobs",
        "top_logprobs",
        "logit_bias",
      ],
    },
    models: [],
  },
  {
    word: "deepseek",
    host: /(^|\.)deepseek\.com$/,
    quirks: {
      tokenLimit: "max_tokens",
      instructionRole: InstructionRole.SYSTEM,
      reasoningReplay: ReasoningReplay.CONTENT,
      audioInput: false,
    },
    models: [],
  },
  {
    word: "xai",
    host: /(^|\.)x\.ai$/,
    quirks: { instructionRole: InstructionRole.SYSTEM },
    models: [{ match: "non-reasoning" }, { match: "^grok-(3-mini|4|[5-9]|code)", penalties: Taken.NEVER, stop: false }],
  },
  {
    word: "perplexity",
    host: /(^|\.)perplexity\.ai$/,
    quirks: { tokenLimit: "max_tokens", streamOptions: false, instructionRole: InstructionRole.SYSTEM },
    models: [],
  },
  {
    word: "together",
    host: /(^|\.)together\.(ai|xyz)$/,
    quirks: { tokenLimit: "max_tokens", instructionRole: InstructionRole.SYSTEM },
    models: [],
  },
  {
    word: "cerebras",
    host: /(^|\.)cerebras\.ai$/,
    quirks: {
      instructionRole: InstructionRole.SYSTEM,
      unsupported: ["frequency_penalty", "presence_penalty", "logit_bias"],
    },
    models: [],
  },
  {
    word: "moonshot",
    host: /(^|\.)moonshot\.(ai|cn)$/,
    quirks: {
      tokenLimit: "max_tokens",
      instructionRole: InstructionRole.SYSTEM,
      reasoningReplay: ReasoningReplay.CONTENT,
      inlineMedia: true,
    },
    models: [],
  },
  {
    word: "zai",
    host: /(^|\.)(z\.ai|bigmodel\.cn)$/,
    quirks: {
      tokenLimit: "max_tokens",
      instructionRole: InstructionRole.SYSTEM,
      reasoningReplay: ReasoningReplay.CONTENT,
      videoInput: true,
      fileInput: true,
    },
    models: [],
  },
  {
    word: "qwen",
    host: /(^|\.)dashscope(-intl|-us)?\.aliyuncs\.com$/,
    quirks: { tokenLimit: "max_tokens", instructionRole: InstructionRole.SYSTEM, videoInput: true },
    models: [],
  },
  {
    word: "fireworks",
    host: /(^|\.)fireworks\.ai$/,
    quirks: { tokenLimit: "max_tokens", instructionRole: InstructionRole.SYSTEM },
    models: [],
  },
  {
    word: "snowflake",
    host: /\.snowflakecomputing\.com$/,
    quirks: { instructionRole: InstructionRole.SYSTEM },
    models: [],
  },
  {
    word: "google",
    host: /(^|\.)generativelanguage\.googleapis\.com$/,
    quirks: { extraContent: true, instructionRole: InstructionRole.SYSTEM, inlineMedia: true },
    models: [],
  },
  {
    word: "vllm",
    host: undefined,
    quirks: { instructionRole: InstructionRole.SYSTEM, videoInput: true },
    models: [],
  },
  {
    word: "ollama",
    host: undefined,
    quirks: {
      tokenLimit: "max_tokens",
      instructionRole: InstructionRole.SYSTEM,
      inlineMedia: true,
      unsupported: ["n", "logit_bias"],
    },
    models: [],
  },
  {
    word: "llamacpp",
    host: undefined,
    quirks: { tokenLimit: "max_tokens", instructionRole: InstructionRole.SYSTEM, inlineMedia: true },
    models: [],
  },
  // Whoever is not known is asked as the request has it, and may be a way to OpenAI: its models are known by their names.
  {
    word: "generic",
    host: undefined,
    quirks: { fileInput: true, videoInput: true, newestParts: true, customTools: true, legacyFunctions: true },
    models: OPENAI_MODELS,
  },
];
