import { configKey } from "../support/config-key.ts";
import { MAX_ATTEMPTS } from "./judge-runs.ts";

/** Keys that runs belong to. */
export const OWNERS = ["amy", "ben"].map((id) => configKey(id, ["chat", "models", "runs"]));
/** The key that makes keys, and reads the log. */
export const ADMIN = configKey("root", ["chat", "models", "runs", "requests", "admin"]);

/** Where the state of the replicas is. */
export type StoreConfig = { readonly data_dir: string } | { readonly database_url: string };

/** What all replicas are told. Workers count as lost soon, and answers take as long as those of models. */
export const configWith = (store: StoreConfig): object => ({
  store,
  log: { level: "warn" },
  sandbox: { token_delay: "0.020s" },
  timeouts: { drain: "5s" },
  auth: { keys: [...OWNERS, ADMIN].map(({ entry }) => entry) },
  runs: { workers: 4, lease: "1s", max_attempts: MAX_ATTEMPTS, max_queued: 100_000 },
});
