/** What it costs to know callers, and to hold them to their limits: in one process without a gateway, in memory and on Redis, beside a bare PING. */
import { startServer } from "../support/servers.ts";
import { startChild } from "./child.ts";
import type { PartEffort } from "./effort.ts";

/** What is done for each call. Further steps of admission are further rows here, and in admission-process.ts. */
export const ADMISSIONS = {
  memory: { title: "limits in memory", atOnce: 1, onRedis: false },
  budget: { title: "limits and a budget in memory", atOnce: 1, onRedis: false },
  key: { title: "key, scope, model and limits in memory", atOnce: 1, onRedis: false },
  ping: { title: "PING of Redis", atOnce: 1, onRedis: true },
  redis: { title: "limits on Redis", atOnce: 1, onRedis: true },
  keyOnRedis: { title: "key, scope, model and limits on Redis", atOnce: 1, onRedis: true },
  pings: { title: "PING of Redis, 50 at once", atOnce: 50, onRedis: true },
  many: { title: "limits on Redis, 50 at once", atOnce: 50, onRedis: true },
} as const satisfies Record<string, { readonly title: string; readonly atOnce: number; readonly onRedis: boolean }>;

/** A name of `ADMISSIONS`. */
export type Admission = keyof typeof ADMISSIONS;

/** Calls that are admitted and settled. */
export interface AdmissionTrial {
  readonly admission: Admission;
  readonly calls: number;
  /** Address of a Redis; "": there is none. */
  readonly redisUrl: string;
}

/** What a call cost, in µs. */
export interface AdmissionCost {
  /** CPU time of the process. */
  readonly cpu: number;
  /** Time until it was admitted, as the call itself sees it. */
  readonly wait: number;
}

/** The costs of each round. */
export interface AdmissionFigures {
  readonly admission: Admission;
  readonly costs: readonly AdmissionCost[];
}

/** Calls of a trial, for each second that a load would last. */
const CALLS_A_SECOND = { inMemory: 200_000, onRedis: 5_000 };
/** Rounds before they count. */
const WARM_UP_ROUNDS = 3;

/** Measures all of them, in turns; those on Redis where the machine has one. */
export async function measureAdmission({ seconds, rounds, profile }: PartEffort): Promise<AdmissionFigures[]> {
  const redis = await startServer("redis");
  const nodeFlags = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}/admission`];
  const child = await startChild("admission-process.ts", { nodeFlags });
  try {
    const figures = (Object.keys(ADMISSIONS) as Admission[])
      .filter((admission) => redis !== undefined || !ADMISSIONS[admission].onRedis)
      .map((admission) => ({ admission, costs: [] as AdmissionCost[] }));
    for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
      for (const { admission, costs } of figures) {
        const aSecond = ADMISSIONS[admission].onRedis ? CALLS_A_SECOND.onRedis : CALLS_A_SECOND.inMemory;
        const calls = Math.ceil(seconds * aSecond);
        const trial: AdmissionTrial = { admission, calls, redisUrl: redis?.url ?? "" };
        const cost = (await child.ask(trial)) as AdmissionCost;
        if (round >= 0) costs.push(cost);
      }
    }
    return figures;
  } finally {
    await child.end();
    await redis?.stop();
  }
}
