import { createHash } from "node:crypto";

/** What callers send as their key. */
export const SECRET = "sk-bench-0123456789abcdef0123456789abcdef";

/** So much that nothing is ever refused, and all of it is counted. */
const PLENTY = 1_000_000_000;

/** The gateway's configuration, with all that there is for a call: a key with limits and a budget, and providers at that port. */
export function configOf(upstreamPort: number): object {
  const upstream = `http://127.0.0.1:${upstreamPort}`;
  const api_key = "sk-upstream";
  const concurrency = { max_in_flight: 1_000_000, max_queue: 1_000_000 };
  return {
    auth: {
      keys: [
        {
          id: "bench",
          sha256: createHash("sha256").update(SECRET).digest("hex"),
          scopes: ["chat", "models"],
          models: ["openai/*", "anthropic/*", "google/*", "sandbox/*"],
          limits: {
            requests_per_minute: PLENTY,
            tokens_per_minute: 1_000 * PLENTY,
            concurrent: 1_000_000,
            concurrent_streams: 1_000_000,
            budget: { dollars: 1_000_000, per: "day" },
          },
        },
      ],
    },
    limits: { max_connections: 100_000 },
    sandbox: { token_delay: "0s" },
    providers: [
      { id: "openai", openai_compatible: { base_url: `${upstream}/v1`, api_key }, concurrency },
      { id: "anthropic", anthropic: { base_url: upstream, api_key }, concurrency },
      { id: "google", google: { base_url: upstream, api_key }, concurrency },
    ],
  };
}
