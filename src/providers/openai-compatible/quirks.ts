import { GatewayError } from "../../errors/gateway-error.ts";
import {
  OpenAIQuirks_CallIds as CallIds,
  OpenAIQuirks_InstructionRole as InstructionRole,
  OpenAIQuirks_KeyHeader as KeyHeader,
  type OpenAICompatible,
  type OpenAIModelRule,
  OpenAIQuirks_ReasoningReplay as ReasoningReplay,
  OpenAIModelRule_Taken as Taken,
} from "../../gen/parley/config/v1/openai_compatible_pb.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import { modelPattern } from "../model-pattern.ts";
import { VENDORS, type Vendor } from "./vendors.ts";

/** What is particular about a server, complete. See parley.config.v1.OpenAIQuirks. */
export interface Quirks {
  /** The vendor's word. */
  readonly vendor: string;
  readonly keyHeader: KeyHeader;
  readonly genuine: boolean;
  readonly tokenLimit: string;
  readonly streamOptions: boolean;
  readonly seed: string;
  readonly requiredChoice: string;
  readonly instructionRole: InstructionRole;
  readonly reasoningReplay: ReasoningReplay;
  readonly extraContent: boolean;
  readonly inlineMedia: boolean;
  readonly audioInput: boolean;
  readonly fileInput: boolean;
  readonly videoInput: boolean;
  readonly newestParts: boolean;
  readonly customTools: boolean;
  readonly legacyFunctions: boolean;
  readonly names: boolean;
  readonly callIds: CallIds;
  readonly thinkTags: boolean;
  readonly unsupported: readonly string[];
}

/** What is particular about one model on a server, complete. */
export interface Traits extends Quirks {
  /** When it takes some parameters; unspecified: not known, and they are sent. */
  readonly sampling: Taken;
  readonly logprobs: Taken;
  readonly penalties: Taken;
  readonly stop: boolean;
  /** Undefined: not known. */
  readonly reasoning: boolean | undefined;
  readonly tools: boolean | undefined;
  readonly images: boolean | undefined;
  /** Undefined: as the server takes it (`audioInput`). */
  readonly audio: boolean | undefined;
  readonly promptCacheRetention: boolean;
}

/** Most models whose traits are kept, and the longest name of one. */
const MOST_KEPT = 256;
const LONGEST_KEPT = 256;

/** What is so where nothing else is said. */
const DEFAULTS: Omit<Quirks, "vendor"> = {
  keyHeader: KeyHeader.BEARER,
  genuine: false,
  tokenLimit: "",
  streamOptions: true,
  seed: "seed",
  requiredChoice: "required",
  instructionRole: InstructionRole.AS_IS,
  reasoningReplay: ReasoningReplay.NONE,
  extraContent: false,
  inlineMedia: false,
  audioInput: true,
  fileInput: false,
  videoInput: false,
  newestParts: false,
  customTools: false,
  legacyFunctions: false,
  names: true,
  callIds: CallIds.COMMON,
  thinkTags: false,
  unsupported: [],
};

/**
 * What is particular about the server of a configuration, and a function that tells it of a model. Throws INVALID_VALUE for a vendor
 * that is not known, and for a rule whose `match` is no regular expression.
 */
export function readQuirks(config: OpenAICompatible): { readonly quirks: Quirks; traitsOf(model: string): Traits } {
  const vendor = findVendor(config);
  const quirks: Quirks = {
    ...DEFAULTS,
    ...given(vendor.quirks),
    ...given(config.quirks ?? {}),
    vendor: vendor.word,
    unsupported: [...(vendor.quirks.unsupported ?? []), ...(config.quirks?.unsupported ?? [])],
  };
  const rules = config.models.map((rule, at) => ({
    pattern: modelPattern(rule.match, `models[${at}].match`, "u"),
    rule: given(rule),
  }));
  /** By names of models, as clients give them. */
  const known = new Map<string, Traits>();
  const rows = vendor.models.map((rule) => ({ pattern: new RegExp(rule.match ?? "", "u"), rule: given(rule) }));
  return {
    quirks,
    traitsOf(model) {
      const before = known.get(model);
      if (before !== undefined) return before;
      const row = rows.find(({ pattern }) => pattern.test(model));
      const said = rules.filter(({ pattern }) => pattern.test(model));
      const traits = traitsOf(quirks, Object.assign({}, row?.rule, ...said.reverse().map(({ rule }) => rule)));
      if (model.length <= LONGEST_KEPT) {
        if (known.size === MOST_KEPT) known.clear();
        known.set(model, traits);
      }
      return traits;
    },
  };
}

function traitsOf(quirks: Quirks, said: Partial<OpenAIModelRule>): Traits {
  return {
    ...quirks,
    tokenLimit: said.tokenLimit ?? quirks.tokenLimit,
    instructionRole: said.instructionRole ?? quirks.instructionRole,
    reasoningReplay: said.reasoningReplay ?? quirks.reasoningReplay,
    sampling: said.sampling ?? Taken.UNSPECIFIED,
    logprobs: said.logprobs ?? Taken.UNSPECIFIED,
    penalties: said.penalties ?? Taken.UNSPECIFIED,
    stop: said.stop ?? true,
    reasoning: said.reasoning,
    tools: said.tools,
    images: said.images,
    audio: said.audio,
    promptCacheRetention: said.promptCacheRetention ?? true,
  };
}

function findVendor({ vendor: word, baseUrl }: OpenAICompatible): Vendor {
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname : "";
  const found = VENDORS.find((row) => (word ? row.word === word : row.host?.test(host) || row.word === "generic"));
  if (found !== undefined) return found;
  const words = VENDORS.map((row) => `"${row.word}"`).join(", ");
  throw new GatewayError(Reason.INVALID_VALUE, `vendor must be one of ${words}`, { param: "vendor" });
}

/** The fields that say something: a zero of an enum says nothing. */
function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => !name.startsWith("$") && value !== undefined && value !== 0),
  ) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
