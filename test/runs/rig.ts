/** Runs over a store, with the real gateway behind them. */
import { Writable } from "node:stream";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Caller, OPEN_CALLER } from "../../src/admission/caller.ts";
import type { RunSettings } from "../../src/config/settings.ts";
import { createGateway, type Gateway } from "../../src/gateway/gateway.ts";
import type { CallContext } from "../../src/gateway/operation.ts";
import type { ChatCompletion } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import type { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import {
  CancelRunRequestSchema,
  CreateRunRequestSchema,
  DeleteRunRequestSchema,
  GetRunRequestSchema,
  ListRunsRequestSchema,
  type Run,
  WaitRunRequestSchema,
  WatchRunRequestSchema,
  type WatchRunResponse,
} from "../../src/gen/parley/runs/v1/runs_service_pb.ts";
import { requestId } from "../../src/lib/ids.ts";
import { createSandbox } from "../../src/providers/sandbox/provider.ts";
import type { EndedExecution, RunsOptions } from "../../src/runs/options.ts";
import { createRuns, type Runs } from "../../src/runs/runs.ts";
import type { LateStore, Store } from "../../src/store/store.ts";
import { CallLog } from "../../src/telemetry/call-log.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createScriptedBackend } from "../../src/upstream/scripted-backend.ts";
import { catalogueOf, NO_LIMITER, ONE_TRY } from "../support/routing.ts";
import { createGatedBackend, type GatedStream } from "./gated-backend.ts";

/** As the configuration has them by default, but with a lease that a test can wait for. */
export const SETTINGS: RunSettings = {
  workers: 4,
  timeoutMs: 60_000,
  retentionMs: 86_400_000,
  maxAttempts: 3,
  leaseMs: 1_500,
  maxQueued: 1_000,
  webhook: { secret: undefined, maxAttempts: 8, timeoutMs: 10_000 },
};

export type CreateInit = MessageInitShape<typeof CreateRunRequestSchema>;
type ParamsInit = MessageInitShape<typeof ChatCompletionParamsSchema>;

/** Somebody who has runs. */
export interface RunsClient {
  create(init?: CreateInit): Promise<Run>;
  get(uid: string): Promise<Run>;
  wait(uid: string, seconds?: number): Promise<Run>;
  watch(uid: string, after?: number, signal?: AbortSignal): AsyncIterable<readonly WatchRunResponse[]>;
  /** All that a watcher gets. */
  events(uid: string, after?: number): Promise<WatchRunResponse[]>;
  list(
    init?: MessageInitShape<typeof ListRunsRequestSchema>,
  ): Promise<{ readonly runs: readonly Run[]; readonly nextPageToken: string }>;
  cancel(uid: string): Promise<Run>;
  delete(uid: string): Promise<boolean>;
}

export interface Rig {
  readonly runs: Runs;
  readonly gateway: Gateway;
  /** The streams that "gated/m" was asked for. */
  readonly streams: readonly GatedStream[];
  /** What was told of executions that ended. */
  readonly finished: readonly { readonly log: CallLog; readonly execution: EndedExecution }[];
  readonly lines: readonly string[];
  client(caller?: Partial<Caller>): RunsClient;
  /** Ends it; what is being worked on is put back. */
  stop(): Promise<void>;
}

export interface RigChange extends Partial<Omit<RunsOptions, "settings" | "store">> {
  readonly settings?: Partial<RunSettings>;
}

/** A store that is open. */
export const lateOf = (store: Store): LateStore => ({
  exists: true,
  opened: store,
  isAway: false,
  open: async () => store,
  close: async () => undefined,
});

/** Parameters of a call of a model: "Hello" unless they say otherwise. */
export const paramsFor = (model: string, more: ParamsInit = {}, text = "Hello"): ParamsInit => ({
  model,
  messages: [{ role: Role.USER, content: [{ kind: { case: "text", value: text } }] }],
  ...more,
});

/** The text of an answer. */
export const textOf = (completion: ChatCompletion | undefined): string =>
  (completion?.choices[0]?.message?.content ?? []).map(({ kind }) => kind.value).join("");

/** The text that events say. */
export const saidIn = (events: readonly WatchRunResponse[]): string =>
  events.map(({ event }) => (event.case === "chunk" ? (event.value.choices[0]?.delta?.content ?? "") : "")).join("");

export const sequencesOf = (events: readonly WatchRunResponse[]): number[] =>
  events.map(({ sequence }) => Number(sequence));

/** A call as a door makes it. */
export function callOf(caller: Caller, signal: AbortSignal = new AbortController().signal): CallContext {
  return { caller, log: new CallLog(requestId(), "grpc"), signal, timeoutMs: undefined };
}

export function createRig(store: LateStore, { settings, ...change }: RigChange = {}): Rig {
  const gated = createGatedBackend();
  const sandbox = createScriptedBackend(createSandbox({ tokenDelayMs: 0 }));
  const gateway = createGateway(catalogueOf([sandbox, gated.backend], ["sandbox/eliza"]), ONE_TRY, NO_LIMITER);
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString("utf8"));
      done();
    },
  });
  const finished: { log: CallLog; execution: EndedExecution }[] = [];
  const runs = createRuns({
    store,
    settings: { ...SETTINGS, ...settings },
    operations: gateway.operations,
    recall: async (before) => before,
    logger: createLogger({ level: "debug", destination }),
    finished: (log, execution) => finished.push({ log, execution }),
    ...change,
  });
  return {
    runs,
    gateway,
    streams: gated.streams,
    finished,
    lines,
    client: (caller = {}) => clientOf(runs, { ...OPEN_CALLER, ...caller }),
    async stop() {
      await runs.drain(AbortSignal.abort());
    },
  };
}

function clientOf({ operations }: Runs, caller: Caller): RunsClient {
  const runOf = async (answer: Promise<{ readonly run?: Run | undefined }>): Promise<Run> => {
    const { run } = await answer;
    if (run === undefined) throw new Error("an answer without a run");
    return run;
  };
  const watch: RunsClient["watch"] = (uid, after = 0, signal) =>
    operations.watchRun(create(WatchRunRequestSchema, { uid, afterSequence: BigInt(after) }), callOf(caller, signal));
  return {
    create: (init) =>
      runOf(
        operations.createRun(
          create(CreateRunRequestSchema, { params: paramsFor("sandbox/echo"), ...init } as CreateInit),
          callOf(caller),
        ),
      ),
    get: (uid) => runOf(operations.getRun(create(GetRunRequestSchema, { uid }), callOf(caller))),
    wait: (uid, seconds = 30) =>
      runOf(
        operations.waitRun(
          create(WaitRunRequestSchema, {
            uid,
            timeout: { seconds: BigInt(Math.floor(seconds)), nanos: (seconds % 1) * 1e9 },
          }),
          callOf(caller),
        ),
      ),
    watch,
    async events(uid, after) {
      const events: WatchRunResponse[] = [];
      for await (const batch of watch(uid, after)) events.push(...batch);
      return events;
    },
    list: (init = {}) => operations.listRuns(create(ListRunsRequestSchema, init), callOf(caller)),
    cancel: (uid) => runOf(operations.cancelRun(create(CancelRunRequestSchema, { uid }), callOf(caller))),
    delete: async (uid) =>
      (await operations.deleteRun(create(DeleteRunRequestSchema, { uid }), callOf(caller))).deleted,
  };
}
