/** What a model can do, put together of what each table says of it. */
import { Modality } from "../gen/parley/models/v1/models_service_pb.ts";
import type { ModelAbilities } from "./model-abilities.ts";
import type { ParameterName, ParameterTable } from "./parameter-table.ts";
import type { Abilities } from "./provider.ts";

/** What one table says of a model; undefined says nothing. */
export type AbilityWords = { readonly [K in keyof Abilities]: Abilities[K] | undefined };

/** Joins what is said of a model. Where two say something, the later one counts. */
export function joinAbilities(...said: readonly AbilityWords[]): Abilities {
  const words = said.flatMap((each) => Object.entries(each).filter(([, value]) => value !== undefined));
  return Object.fromEntries(words) as Abilities;
}

/** What is known of a model by its name, as abilities. */
export function knownAbilities(known: ModelAbilities | undefined): AbilityWords {
  if (known === undefined) return {};
  const { input, output, tools } = known;
  return {
    tools,
    images: input.includes(Modality.IMAGE),
    audio: input.includes(Modality.AUDIO),
    video: input.includes(Modality.VIDEO),
    files: input.includes(Modality.FILE),
    speech: output.includes(Modality.AUDIO),
  };
}

/** What a family's table of parameters says of all its models. That `n` and `modalities` are taken says nothing of one of them. */
export function parameterAbilities(table: ParameterTable): AbilityWords {
  const takes = (name: ParameterName): boolean => table[name].kind === "passed" || table[name].kind === "mapped";
  return {
    parallelTools: takes("parallelToolCalls"),
    reasoning: takes("reasoningEffort"),
    logprobs: takes("logprobs"),
    maxChoices: takes("n") ? undefined : 1,
    speech: takes("modalities") ? undefined : false,
  };
}
