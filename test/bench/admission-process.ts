/** Admission without a gateway: what is left is what it costs itself. */
import type { IncomingHttpHeaders } from "node:http";
import { createClient } from "redis";
import { authorize } from "../../src/admission/authorize.ts";
import { createDoorkeeper } from "../../src/admission/doorkeeper.ts";
import { createIdentity } from "../../src/admission/identity.ts";
import type { Grant, Limiter, Refusal } from "../../src/admission/limits/limiter.ts";
import { createMemoryLimiter } from "../../src/admission/limits/memory-limiter.ts";
import type { Quota } from "../../src/admission/limits/quota.ts";
import { createRedisLimiter } from "../../src/admission/limits/redis-limiter.ts";
import { createSpendLedger } from "../../src/admission/limits/spend-ledger.ts";
import { mayUse } from "../../src/admission/model-patterns.ts";
import { hashSecret } from "../../src/admission/secret.ts";
import { createStoredKeys } from "../../src/admission/stored-keys.ts";
import { ChatService } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { Scope } from "../../src/gen/parley/scopes/v1/scopes_pb.ts";
import { createLateStore } from "../../src/store/late-store.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { ADMISSIONS, type Admission, type AdmissionCost, type AdmissionTrial } from "./admission.ts";
import { answerQuestions } from "./child-side.ts";

const secretOf = (id: string): string => `sk-parley-${id.padEnd(43, "0")}`;
const CALLERS = Array.from({ length: 100 }, (_, at) => `key_${at}`);
/** All limits but a budget, none of which is reached. */
const QUOTA: Quota = {
  requestsPerMinute: 1_000_000_000,
  tokensPerMinute: 100_000_000_000,
  concurrent: 1_000,
  concurrentStreams: 1_000,
  budget: undefined,
};
const WITH_BUDGET: Quota = { ...QUOTA, budget: { nanoDollars: 1e18, per: "month" } };

const spend = createSpendLedger({ read: async () => 0 });
const memory = createMemoryLimiter({ spend });

/** One call; undefined where it was over at once. */
type Work = (call: number) => Promise<void> | undefined;

function settle(decision: Grant | Refusal): void {
  if (!decision.granted) throw new Error(`refused by ${decision.limit}`);
  decision.settle({ tokens: 50, nanoDollars: 1 });
}

const limit =
  (limiter: Limiter, quota: Quota): Work =>
  (call) => {
    const decision = limiter.reserve(CALLERS[call % CALLERS.length] as string, quota, { tokens: 100, stream: true });
    if (decision instanceof Promise) return decision.then(settle);
    settle(decision);
    return undefined;
  };

/** Keys of the configuration, each with the limits of the others; a key of the store that is known costs the same. */
const identity = createIdentity({
  auth: {
    keys: CALLERS.map((id) => ({
      id,
      sha256: hashSecret(secretOf(id)),
      scopes: [Scope.CHAT],
      models: ["openai/*", "sandbox/*"],
      limits: undefined,
      logContent: false,
    })),
    jwt: undefined,
    defaultLimits: undefined,
  },
  stored: createStoredKeys({ store: createLateStore({ dataDir: "", databaseUrl: undefined }) }),
  mayBeOpen: false,
});
const doorkeeper = createDoorkeeper({ identity, authorize, guard: () => undefined });
const HEADERS = CALLERS.map((id) => ({ authorization: `Bearer ${secretOf(id)}` }));
const METHODS = [ChatService.method.createChatCompletion];

const admit =
  (limiter: Limiter): Work =>
  (call) => {
    const caller = doorkeeper.admit(HEADERS[call % HEADERS.length] as IncomingHttpHeaders, METHODS, "POST");
    if (caller instanceof Promise || !mayUse(caller.models, "sandbox/echo")) throw new Error("not let in at once");
    return limit(limiter, QUOTA)(call);
  };

async function createPing(url: string): Promise<Work> {
  const client = createClient({ url, RESP: 2, commandOptions: { timeout: 0 } });
  await client.connect();
  return async () => {
    await client.ping();
  };
}

let shared: Promise<Limiter> | undefined;

function sharedLimiter(url: string): Promise<Limiter> {
  shared ??= createRedisLimiter({ url, spend, memory, logger: createLogger({ level: "error" }) }).then((limiter) => {
    if (limiter.isLocal) throw new Error("Redis does not answer");
    return limiter;
  });
  return shared;
}

const createShared = async (url: string): Promise<Work> => limit(await sharedLimiter(url), QUOTA);

/** How each of them is made. */
const MAKERS: Readonly<Record<Admission, (redisUrl: string) => Work | Promise<Work>>> = {
  memory: () => limit(memory, QUOTA),
  budget: () => limit(memory, WITH_BUDGET),
  key: () => admit(memory),
  keyOnRedis: async (url) => admit(await sharedLimiter(url)),
  ping: createPing,
  pings: createPing,
  redis: createShared,
  many: createShared,
};

const made = new Map<Admission, Work>();

async function workOf({ admission, redisUrl }: AdmissionTrial): Promise<Work> {
  const known = made.get(admission);
  if (known !== undefined) return known;
  const work = await MAKERS[admission](redisUrl);
  made.set(admission, work);
  return work;
}

async function run(trial: AdmissionTrial): Promise<AdmissionCost> {
  const work = await workOf(trial);
  const { atOnce } = ADMISSIONS[trial.admission];
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < trial.calls) {
      const over = work(begun++);
      if (over !== undefined) await over;
    }
  };
  const beginMs = performance.now();
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: atOnce }, lane));
  const { user, system } = process.cpuUsage(before);
  // What was spent is of no interest, but is kept for the store until it is taken.
  spend.takePending()?.stored();
  return {
    cpu: (user + system) / trial.calls,
    wait: ((performance.now() - beginMs) * 1_000 * atOnce) / trial.calls,
  };
}

answerQuestions((question) => run(question as AdmissionTrial));
