import { formatPath } from "../openai-json/path.ts";
import type { Report } from "./problems.ts";
import type { ModelNameSettings, Settings } from "./settings.ts";

/** The name that stands for the models of `auto`. */
const AUTO = "auto";
/** The provider that is always there. */
const SANDBOX = "sandbox";

/** Checks the names for models and "auto": that they can be told apart, and that the providers they lead to are there. */
export function checkNames({ models, auto, providers }: Settings, report: Report): void {
  const providerIds = new Set([SANDBOX, ...providers.map(({ id }) => id)]);
  checkIds(models, providerIds, report);
  models.forEach(({ targets, weights }, index) => {
    targets.forEach((target, at) => {
      const fault = targetFault(target, providerIds);
      if (fault !== undefined) report(`models[${index}].targets[${at}]`, fault);
    });
    for (const name of weights.keys()) {
      if (!targets.includes(name)) report(formatPath(["models", index, "weights", name]), "is none of the targets");
    }
  });
  const names = new Set(models.map(({ id }) => id));
  auto.models.forEach((model, at) => {
    const fault =
      model === AUTO
        ? `"auto" can't be one of its own models`
        : names.has(model)
          ? undefined
          : targetFault(model, providerIds);
    if (fault !== undefined) report(`auto.models[${at}]`, fault);
  });
}

/** Checks that no two names are the same, and that none hides a model of a provider. */
function checkIds(models: readonly ModelNameSettings[], providerIds: ReadonlySet<string>, report: Report): void {
  const firstPlaces = new Map<string, string>();
  models.forEach(({ id }, index) => {
    const place = `models[${index}]`;
    const first = firstPlaces.get(id);
    const provider = providerOf(id);
    if (first === undefined) firstPlaces.set(id, place);
    else report(`${place}.id`, `${JSON.stringify(id)} is the id of ${first}, too`);
    if (id === AUTO) report(`${place}.id`, '"auto" is taken: it stands for the models of auto.models');
    if (provider !== undefined && providerIds.has(provider)) {
      report(`${place}.id`, `${JSON.stringify(id)} begins as models of the provider ${JSON.stringify(provider)} do`);
    }
  });
}

/** Says what is wrong with a target; undefined: nothing. */
function targetFault(target: string, providerIds: ReadonlySet<string>): string | undefined {
  const provider = providerOf(target);
  if (provider === undefined || !/^[^/]+\/./s.test(target)) return `${JSON.stringify(target)} must be "provider/model"`;
  if (providerIds.has(provider)) return undefined;
  return `${JSON.stringify(target)} is of the provider ${JSON.stringify(provider)}, which is not there`;
}

/** What stands before the first slash of a name; undefined: there is no slash. */
function providerOf(name: string): string | undefined {
  const slash = name.indexOf("/");
  return slash < 0 ? undefined : name.slice(0, slash);
}
