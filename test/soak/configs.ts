import { stringify } from "yaml";
import type { Random } from "../../src/providers/sandbox/random.ts";
import { ACTORS, type Actor, type Stage, vendorOf } from "./actors.ts";

/** A configuration of the gateway, and what it means. */
export interface Config {
  readonly file: string;
  /** The targets that each name stands for. */
  readonly names: ReadonlyMap<string, readonly string[]>;
  readonly providers: readonly Actor["id"][];
}

/** Names that calls ask for, besides targets. */
export const NAMES = ["auto", "main", "spread", "quick", "narrow"] as const;

/** The one that the soak begins and ends with. */
export const firstConfig = (stage: Stage): Config =>
  makeConfig(stage, {
    providers: ACTORS.map(({ id }) => id),
    main: ["alpha/large", "beta/large", "gamma/large"],
    weights: [5, 3, 1],
    policy: "quality",
    firstChunkMs: 1_200,
    maxRetries: 2,
  });

/** Another one: the order, weights, policies and timeouts differ, and delta and beta come and go. */
export function drawConfig(stage: Stage, random: Random): Config {
  const coin = (chance: number): boolean => random.next() < chance;
  const main = ["alpha/large", "beta/large", "gamma/large"];
  const [first] = main.splice(random.int(3), 1) as [string];
  return makeConfig(stage, {
    providers: ACTORS.map(({ id }) => id).filter((id) => (id !== "delta" && id !== "beta") || coin(0.75)),
    main: coin(0.5) ? [first, ...main] : [first, ...main.reverse()],
    weights: [1 + random.int(9), 1 + random.int(9), 1 + random.int(9)],
    policy: random.pick(["quality", "cost", "latency"]),
    firstChunkMs: random.pick([800, 1_200, 1_600]),
    maxRetries: random.pick([1, 2, 3]),
  });
}

interface Choices {
  readonly providers: readonly Actor["id"][];
  readonly main: readonly string[];
  readonly weights: readonly number[];
  readonly policy: string;
  readonly firstChunkMs: number;
  readonly maxRetries: number;
}

/** How long a call lasts at most that says no deadline of its own, in milliseconds. */
export const TOTAL_MS = 6_000;

function makeConfig({ upstreams }: Stage, choices: Choices): Config {
  const { providers, policy, firstChunkMs, maxRetries } = choices;
  const isThere = (target: string): boolean => providers.some((id) => target.startsWith(`${id}/`));
  const main = choices.main.filter(isThere);
  const spread = ["alpha/small", "gamma/small", "delta/large"].filter(isThere);
  const quick = ["beta/small", "alpha/small", "gamma/small"].filter(isThere);
  const narrow = ["delta/small", "delta/large"].filter(isThere);
  const models = [
    { id: "main", targets: main },
    { id: "spread", targets: spread, weights: Object.fromEntries(spread.map((it, at) => [it, choices.weights[at]])) },
    { id: "quick", targets: quick, policy: "latency" },
    { id: "narrow", targets: narrow },
  ].filter(({ targets }) => targets.length > 0);
  const auto = ["main", "gamma/small"];
  const file = stringify({
    providers: ACTORS.filter(({ id }) => providers.includes(id)).map((actor) =>
      providerOf(actor, upstreams.get(actor.id)?.url ?? ""),
    ),
    models,
    auto: { policy, models: auto },
    timeouts: { total: seconds(TOTAL_MS), first_chunk: seconds(firstChunkMs), idle: "1s", attempt: "2s", drain: "5s" },
    routing: { max_retries: maxRetries, max_wait: "2s", breaker: { max_open: "3s" } },
  });
  const names = new Map(models.map(({ id, targets }) => [id, targets]));
  return { file, names: names.set("auto", [...new Set([...main, "gamma/small"])]), providers };
}

const seconds = (ms: number): string => `${ms / 1000}s`;

function providerOf(actor: Actor, url: string): object {
  const { id, keys, maxInFlight } = actor;
  const { id: family, ...section } = vendorOf(actor).settings(url) as { id: string } & Record<string, object>;
  const [[kind, settings] = ["", {}]] = Object.entries(section);
  const { api_key: _, ...rest } = settings as { api_key?: string };
  const said = kind === "openai_compatible" ? { ...rest, vendor: family } : rest;
  return { id, [kind]: { ...said, api_keys: keys }, concurrency: { max_in_flight: maxInFlight, max_queue: 4 } };
}

/** Files that have to be refused. */
export function drawBrokenFile(random: Random, { file }: Config): string {
  return random.pick([
    "providers: [",
    `${file}\nunheard_of: true\n`,
    file.replace("max_wait: 2s", "max_wait: soon"),
    file.replaceAll("gamma/small", "nobody/small"),
    // This needs a restart.
    `${file}\nlimits: { max_concurrent_streams: 9 }\n`,
  ]);
}

/** The targets that a name can stand for, in this configuration; undefined: it stands for nothing. */
export function targetsOf({ names, providers }: Config, name: string): readonly string[] | undefined {
  const named = names.get(name);
  if (named !== undefined) return named;
  return providers.some((id) => name.startsWith(`${id}/`)) ? [name] : undefined;
}
