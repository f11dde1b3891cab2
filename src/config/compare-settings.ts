import { isDeepStrictEqual } from "node:util";
import { ConfigError } from "./config-error.ts";
import type { Settings } from "./settings.ts";

/** The file's top-level keys, by the settings that they become. What is not here comes from the environment, which does not change. */
const KEYS: Readonly<Record<Exclude<keyof Settings, "file" | "proxy" | "telemetry">, string>> = {
  listen: "listen",
  tls: "tls",
  limits: "limits",
  timeouts: "timeouts",
  cors: "cors",
  logLevel: "log",
  models: "models",
  auto: "auto",
  routing: "routing",
  sandbox: "sandbox",
  providers: "providers",
  mediaFetch: "media_fetch",
  modelListRefreshMs: "model_lists",
  auth: "auth",
  store: "store",
  redisUrl: "redis",
  runs: "runs",
  requestLog: "request_log",
  workers: "workers",
};

/** What a server that listens can't change, with the reason where it is not plain. */
const FIXED: readonly { readonly path: string; readonly verb: string; of(settings: Settings): unknown }[] = [
  { path: "listen", verb: "changed", of: ({ listen }) => listen },
  { path: "workers", verb: "changed", of: ({ workers }) => workers },
  { path: "tls", verb: "switched on or off", of: ({ tls }) => tls !== undefined },
  // The memory of a session goes with it, and Node takes that only when a server is made.
  { path: "limits.max_concurrent_streams", verb: "changed", of: ({ limits }) => limits.maxConcurrentStreams },
  { path: "store", verb: "changed", of: ({ store }) => store },
  { path: "redis", verb: "changed", of: ({ redisUrl }) => redisUrl },
  { path: "runs", verb: "changed", of: ({ runs }) => runs },
  // Node takes the time for TLS handshakes only when a server is made.
  { path: "timeouts.headers", verb: "changed", of: ({ timeouts }) => timeouts.headersMs },
];

/** The top-level keys whose settings differ, in the order of the schema. No values. */
export function changedKeys(before: Settings, after: Settings): string[] {
  const [old, next] = [withoutPlaces(before), withoutPlaces(after)];
  const names = Object.keys(KEYS) as (keyof typeof KEYS)[];
  return names.filter((name) => !isDeepStrictEqual(old[name], next[name])).map((name) => KEYS[name]);
}

/** Where the section of a provider stands is said for its faults, and makes no other provider of it. */
const withoutPlaces = (settings: Settings) => ({
  ...settings,
  providers: settings.providers.map(({ place: _, ...provider }) => provider),
});

/** Checks whether a gateway that runs with some settings can go on with others. Throws a ConfigError with what needs a restart. */
export function checkChange(running: Settings, next: Settings): void {
  const problems = FIXED.filter(({ of }) => !isDeepStrictEqual(of(running), of(next))).map(({ path, verb }) => ({
    file: next.file,
    path,
    message: `can't be ${verb} while Parley runs; it takes a restart`,
  }));
  if (problems.length > 0) throw new ConfigError(problems, next.file);
}
