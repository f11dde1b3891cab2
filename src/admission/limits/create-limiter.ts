import type { Logger } from "../../telemetry/logger.ts";
import type { Limiter } from "./limiter.ts";
import { createMemoryLimiter } from "./memory-limiter.ts";
import type { SpendLedger } from "./spend-ledger.ts";

/** What a limiter is made of. */
export interface LimiterOptions {
  /** Undefined: this process has its own limits. */
  readonly redisUrl: string | undefined;
  readonly spend: SpendLedger;
  readonly logger: Logger;
}

/** Makes the limiter of a process: shared where there is a Redis. What it needs of Redis is loaded only then. */
export async function createLimiter({ redisUrl, spend, logger }: LimiterOptions): Promise<Limiter> {
  const memory = createMemoryLimiter({ spend });
  if (redisUrl === undefined) return memory;
  const { createRedisLimiter } = await import("./redis-limiter.ts");
  return createRedisLimiter({ url: redisUrl, spend, memory, logger });
}
