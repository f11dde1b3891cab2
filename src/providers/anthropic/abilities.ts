import { joinAbilities, knownAbilities, parameterAbilities } from "../abilities.ts";
import { abilitiesOf as knownOf } from "../model-abilities.ts";
import type { Abilities } from "../provider.ts";
import type { Capabilities } from "./capabilities.ts";
import { PARAMETERS } from "./parameters.ts";

/** What every model has of the parameters, and what no model reads. */
const FAMILY = { ...parameterAbilities(PARAMETERS), audio: false, video: false };

/** What a model can do. */
export function abilitiesOf(model: string, capabilities: Capabilities): Abilities {
  const { structuredOutput, thinkingBudget, adaptiveThinking } = capabilities;
  return joinAbilities(knownAbilities(knownOf("anthropic", model)), FAMILY, {
    // A forced call of a tool, which the others answer by, is asked for a schema, and not held to it.
    structuredOutput,
    reasoning: thinkingBudget || adaptiveThinking,
  });
}
