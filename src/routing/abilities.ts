import { Modality, type Modality as ModalityType, type Model } from "../gen/parley/models/v1/models_service_pb.ts";
import type { Abilities } from "../providers/provider.ts";

/** What a call can need of a model, as bits. */
export const Need = {
  TOOLS: 1,
  ONE_TOOL_AT_A_TIME: 2,
  STRUCTURED_OUTPUT: 4,
  REASONING: 8,
  LOGPROBS: 16,
  IMAGES: 32,
  AUDIO: 64,
  VIDEO: 128,
  FILES: 256,
  SPEECH: 512,
} as const;

/** Several needs: the sum of their bits. */
export type Needs = number;

/** What is known of a target's model that a call's needs are held against. */
export interface Facts {
  /** What the model is known not to do; what is not known is taken to be there. */
  readonly lacks: Needs;
  /** Most answers of one call; Infinity where it is not known. */
  readonly maxChoices: number;
  /** Most tokens of messages and answer together; Infinity where it is not known. */
  readonly contextWindow: number;
  /** List prices of a token, in nano-dollars; undefined where they are not known. */
  readonly price: { readonly input: number; readonly output: number } | undefined;
}

/** Reads the facts off what a provider lists of a model, where it does, and what its translator knows. */
export function factsOf(abilities: Abilities, listed: Model | undefined): Facts {
  const reads = (modality: ModalityType): boolean | undefined =>
    listed === undefined || listed.inputModalities.length === 0 ? undefined : listed.inputModalities.includes(modality);
  const says = (modality: ModalityType): boolean | undefined =>
    listed === undefined || listed.outputModalities.length === 0
      ? undefined
      : listed.outputModalities.includes(modality);
  const lacks =
    bit(Need.TOOLS, abilities.tools, listed?.tools) |
    bit(Need.ONE_TOOL_AT_A_TIME, abilities.parallelTools) |
    bit(Need.STRUCTURED_OUTPUT, abilities.structuredOutput) |
    bit(Need.REASONING, abilities.reasoning) |
    bit(Need.LOGPROBS, abilities.logprobs) |
    bit(Need.IMAGES, abilities.images, reads(Modality.IMAGE)) |
    bit(Need.AUDIO, abilities.audio, reads(Modality.AUDIO)) |
    bit(Need.VIDEO, abilities.video, reads(Modality.VIDEO)) |
    bit(Need.FILES, abilities.files, reads(Modality.FILE)) |
    bit(Need.SPEECH, abilities.speech, says(Modality.AUDIO));
  return {
    lacks,
    maxChoices: abilities.maxChoices ?? Number.POSITIVE_INFINITY,
    contextWindow: listed?.contextWindow ?? Number.POSITIVE_INFINITY,
    price: priceOf(listed),
  };
}

/** The need, where one of those who know says that it is not met. */
const bit = (need: Needs, ...known: readonly (boolean | undefined)[]): Needs => (known.includes(false) ? need : 0);

const TOKENS_OF_A_PRICE = 1_000_000;

function priceOf(listed: Model | undefined): Facts["price"] {
  const { input, output } = listed?.pricing ?? {};
  if (input === undefined || output === undefined) return undefined;
  return { input: Number(input) / TOKENS_OF_A_PRICE, output: Number(output) / TOKENS_OF_A_PRICE };
}
