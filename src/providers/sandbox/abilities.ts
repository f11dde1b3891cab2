import { joinAbilities, knownAbilities, parameterAbilities } from "../abilities.ts";
import type { Abilities } from "../provider.ts";
import { READS, SAYS } from "./models.ts";
import { PARAMETERS } from "./parameters.ts";

/** What all models of the sandbox can do; those that fail would, too. */
export const ABILITIES: Abilities = joinAbilities(
  knownAbilities({ input: READS, output: SAYS, tools: true }),
  parameterAbilities(PARAMETERS),
  { structuredOutput: true },
);
