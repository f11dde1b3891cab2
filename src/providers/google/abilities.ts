import { GoogleModelRule_Thinking as Thinking } from "../../gen/parley/config/v1/google_pb.ts";
import { Modality } from "../../gen/parley/models/v1/models_service_pb.ts";
import { joinAbilities, knownAbilities, parameterAbilities } from "../abilities.ts";
import { abilitiesOf as knownOf } from "../model-abilities.ts";
import type { Abilities } from "../provider.ts";
import type { Capabilities } from "./capabilities.ts";
import { PARAMETERS } from "./parameters.ts";

const FAMILY = parameterAbilities(PARAMETERS);

/** What a model can do. */
export function abilitiesOf(model: string, { thinking, logprobs, maxCandidates }: Capabilities): Abilities {
  const known = knownOf("google", model.replace(/^models\//, ""));
  const isTextOnly = known?.output.every((modality) => modality === Modality.TEXT);
  return joinAbilities(knownAbilities(known), FAMILY, {
    // The API holds answers to a schema; of models that say something else than text, that is not known.
    structuredOutput: isTextOnly === true ? true : undefined,
    reasoning: thinking !== Thinking.NONE,
    logprobs,
    maxChoices: maxCandidates,
  });
}
