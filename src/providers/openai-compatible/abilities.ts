import { OpenAIModelRule_Taken as Taken } from "../../gen/parley/config/v1/openai_compatible_pb.ts";
import { joinAbilities, knownAbilities } from "../abilities.ts";
import { abilitiesOf as knownOf } from "../model-abilities.ts";
import type { Abilities } from "../provider.ts";
import type { Traits } from "./quirks.ts";

/**
 * What a model on a server can do. A server that takes something says nothing of its models; one that does not take it says it of all
 * of them. `model`: the server's name of it.
 */
export function abilitiesOf(model: string, traits: Traits): Abilities {
  const lacks = (...names: readonly string[]): boolean => names.some((name) => traits.unsupported.includes(name));
  const tools = lacks("tools") ? false : traits.tools;
  return joinAbilities(knownAbilities(knownOf(traits.vendor, model)), {
    tools,
    parallelTools: tools === false || lacks("parallel_tool_calls") ? false : undefined,
    structuredOutput: lacks("response_format") ? false : undefined,
    reasoning: lacks("reasoning_effort") ? false : traits.reasoning,
    logprobs: lacks("logprobs") ? false : LOGPROBS[traits.logprobs],
    maxChoices: lacks("n") ? 1 : undefined,
    images: traits.images,
    audio: traits.audio ?? (traits.audioInput ? undefined : false),
    video: traits.videoInput ? undefined : false,
    files: traits.fileInput ? undefined : false,
    speech: lacks("modalities", "audio") ? false : undefined,
  });
}

/** Those that come without reasoning only are not known before the call is. */
const LOGPROBS: Readonly<Record<Taken, boolean | undefined>> = {
  [Taken.UNSPECIFIED]: undefined,
  [Taken.ALWAYS]: true,
  [Taken.WITHOUT_REASONING]: undefined,
  [Taken.NEVER]: false,
};
