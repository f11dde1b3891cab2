/** Runs without doors, in front of the sandbox, which answers at once: what is left is the store and what is done for it. */
import { create } from "@bufbuild/protobuf";
import { OPEN_CALLER } from "../../src/admission/caller.ts";
import { createGateway } from "../../src/gateway/gateway.ts";
import type { CallContext } from "../../src/gateway/operation.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { CreateRunRequestSchema, WatchRunRequestSchema } from "../../src/gen/parley/runs/v1/runs_service_pb.ts";
import { createSandbox } from "../../src/providers/sandbox/provider.ts";
import { createRuns, type Runs } from "../../src/runs/runs.ts";
import { createLateStore } from "../../src/store/late-store.ts";
import { CallLog } from "../../src/telemetry/call-log.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createScriptedBackend } from "../../src/upstream/scripted-backend.ts";
import { catalogueOf, NO_LIMITER, ONE_TRY } from "../support/routing.ts";
import { answerQuestions } from "./child-side.ts";
import type { RunsOutcome, RunsTrial } from "./runs.ts";

const MESSAGES = [{ role: Role.USER, content: [{ kind: { case: "text" as const, value: "Say something" } }] }];

const callOf = (): CallContext => ({
  caller: OPEN_CALLER,
  log: new CallLog("req_1", "grpc"),
  signal: new AbortController().signal,
  timeoutMs: undefined,
});

let runs: Runs | undefined;
function runsOf({ dataDir, databaseUrl }: RunsTrial): Runs {
  const catalogue = catalogueOf([createScriptedBackend(createSandbox({ tokenDelayMs: 0 }))], ["sandbox/eliza"]);
  runs ??= createRuns({
    store: createLateStore({ dataDir, databaseUrl }),
    settings: {
      workers: 16,
      timeoutMs: 60_000,
      retentionMs: 86_400_000,
      maxAttempts: 3,
      leaseMs: 15_000,
      maxQueued: 1_000_000,
      webhook: { secret: undefined, maxAttempts: 1, timeoutMs: 1_000 },
    },
    operations: createGateway(catalogue, ONE_TRY, NO_LIMITER).operations,
    recall: async (before) => before,
    logger: createLogger({ level: "warn", destination: process.stderr }),
  });
  return runs;
}

/** Queues a run and watches it to its end. Returns when its first event came, in ms from the request on. */
async function runOne({ operations }: Runs): Promise<number> {
  const begin = performance.now();
  const request = create(CreateRunRequestSchema, { params: { model: "sandbox/eliza", messages: MESSAGES } });
  const { run } = await operations.createRun(request, callOf());
  let first: number | undefined;
  let last: string | undefined;
  for await (const batch of operations.watchRun(create(WatchRunRequestSchema, { uid: run?.uid ?? "" }), callOf())) {
    first ??= performance.now() - begin;
    last = batch.at(-1)?.event.case;
  }
  if (first === undefined || last !== "run") throw new Error("a run did not end");
  return first;
}

async function measure(trial: RunsTrial): Promise<RunsOutcome> {
  const open = runsOf(trial);
  const firstMs: number[] = [];
  const begin = performance.now();
  let left = trial.runs;
  const work = async (): Promise<void> => {
    while (left-- > 0) firstMs.push(await runOne(open));
  };
  await Promise.all(Array.from({ length: trial.atOnce }, work));
  return { seconds: (performance.now() - begin) / 1_000, firstMs };
}

answerQuestions((question) => measure(question as RunsTrial));
