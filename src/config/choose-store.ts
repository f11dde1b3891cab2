import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Config } from "../gen/parley/config/v1/config_pb.ts";
import type { FileOptions } from "./config-file.ts";
import type { Report, ReportVariable } from "./problems.ts";
import type { StoreSettings } from "./settings.ts";

/** Where the built-in database is when nobody says. */
const DEFAULT_FOLDER = "parley-data";

/** Name of the built-in database's file in that folder. */
export const DATABASE_FILE = "parley.sqlite";

/** Chooses where durable state is kept: of environment and file, the environment wins. `file`: the file's absolute path. */
export function chooseStore(
  { store }: Config,
  { env, cwd }: FileOptions,
  file: string | undefined,
  { report, reportVariable }: { readonly report: Report; readonly reportVariable: ReportVariable },
): StoreSettings {
  const fromEnvironment = env["PARLEY_DATA_DIR"] || undefined;
  const fromFile =
    store?.dataDir === undefined ? undefined : resolve(file === undefined ? cwd : dirname(file), store.dataDir);
  const databaseUrl = chooseUrl(
    { text: env["DATABASE_URL"] || undefined, refuse: (message) => reportVariable("DATABASE_URL", message) },
    { text: store?.databaseUrl, refuse: (message) => report("store.database_url", message) },
    ["postgres:", "postgresql:"],
  );
  return { dataDir: resolve(cwd, fromEnvironment ?? fromFile ?? DEFAULT_FOLDER), databaseUrl };
}

/** Whether there is a database that may hold keys: a PostgreSQL one is taken to, as nobody has looked yet. */
export const mayHoldKeys = ({ dataDir, databaseUrl }: StoreSettings): boolean =>
  databaseUrl !== undefined || existsSync(join(dataDir, DATABASE_FILE));

/** Chooses the Redis server: of environment and file, the environment wins. */
export function chooseRedis(
  { redis }: Config,
  { env }: Pick<FileOptions, "env">,
  { report, reportVariable }: { readonly report: Report; readonly reportVariable: ReportVariable },
): string | undefined {
  return chooseUrl(
    { text: env["REDIS_URL"] || undefined, refuse: (message) => reportVariable("REDIS_URL", message) },
    { text: redis?.url, refuse: (message) => report("redis.url", message) },
    ["redis:", "rediss:"],
  );
}

interface UrlCandidate {
  readonly text: string | undefined;
  refuse(message: string): void;
}

/** The first address that is given. It may hold a password: the message does not repeat it. */
function chooseUrl(first: UrlCandidate, second: UrlCandidate, protocols: readonly string[]): string | undefined {
  const chosen = first.text === undefined ? second : first;
  if (chosen.text === undefined) return undefined;
  if (!protocols.includes(URL.parse(chosen.text)?.protocol ?? "")) {
    chosen.refuse(`must be an address that begins with ${protocols.map((it) => `"${it}//"`).join(" or ")}`);
  }
  return chosen.text;
}
