/**
 * Runs: chat completions that are queued, executed by workers, and watched. All that lasts of them is in the store. What it takes is
 * loaded, and the store opened, when a run is first asked for.
 *
 * This file is what the rest of the gateway sees.
 */
import { admitChat } from "../admission/admit.ts";
import { validate } from "../admission/validate.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { type CallScope, createLiveCalls, type LiveCalls } from "../gateway/call-scope.ts";
import type { CallContext, OperationsOf } from "../gateway/operation.ts";
import { settled, streamSettled } from "../gateway/settled.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import {
  CancelRunRequestSchema,
  type CreateRunRequest,
  CreateRunRequestSchema,
  DeleteRunRequestSchema,
  GetRunRequestSchema,
  ListRunsRequestSchema,
  type RunsService,
  WaitRunRequestSchema,
  type WatchRunRequest,
  WatchRunRequestSchema,
  type WatchRunResponse,
} from "../gen/parley/runs/v1/runs_service_pb.ts";
import { sleep } from "../lib/sleep.ts";
import type { OpenRuns } from "./open-runs.ts";
import type { RunsOptions } from "./options.ts";
import type { RunService } from "./run-service.ts";

/** Runs of this process. */
export interface Runs {
  readonly operations: OperationsOf<typeof RunsService>;
  /** The calls of these operations that are running. */
  readonly calls: LiveCalls;
  /** How many runs this process works on now. */
  readonly running: number;
  /** Begins to work on the runs that there are, where there is a store; tries again while that is away. */
  start(): void;
  /**
   * Ends: no new calls, watchers and who waits are told to go elsewhere, nothing more is taken from the queue. What is being worked on
   * may end until the signal is aborted, and is put back into the queue then. A second call waits for the same end.
   */
  drain(deadline: AbortSignal): Promise<void>;
}

/** For a call without a deadline of its own that only asks the store. */
const CALL_MS = 60_000;

/** Pauses between tries to open a store that is away. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

/** Makes the runs of this process. */
export function createRuns(options: RunsOptions): Runs {
  const calls = createLiveCalls();
  const late = createLateRuns(options);
  const open = (call: CallContext): CallScope => calls.open(call, CALL_MS);
  const openForLong = (call: CallContext): CallScope => calls.open(call, Number.POSITIVE_INFINITY);

  /** Serves a call once its request is admitted. */
  const served = <T>(
    call: CallContext,
    admit: () => void | Promise<void>,
    serve: (service: RunService) => Promise<T>,
  ) =>
    settled(call, open, async () => {
      await admit();
      return serve(await late.service());
    });

  const admit =
    options.check ??
    (async (request: CreateRunRequest) => void (await admitChat(CreateRunRequestSchema, request, undefined)));

  const operations: OperationsOf<typeof RunsService> = {
    createRun: (request, call) =>
      served(
        call,
        () => admit(request, call),
        (service) => service.create(request, call.caller),
      ),

    getRun: (request, call) =>
      served(
        call,
        () => validate(GetRunRequestSchema, request),
        (service) => service.get(request, call.caller),
      ),

    waitRun: (request, call) =>
      settled(call, openForLong, async ({ signal }) => {
        await validate(WaitRunRequestSchema, request);
        return (await late.service()).wait(request, call.caller, signal);
      }),

    watchRun: (request, call) =>
      streamSettled(call, openForLong, ({ signal }) => watch(request, call, late.service, signal)),

    listRuns: (request, call) =>
      served(
        call,
        () => validate(ListRunsRequestSchema, request),
        (service) => service.list(request, call.caller),
      ),

    cancelRun: (request, call) =>
      served(
        call,
        () => validate(CancelRunRequestSchema, request),
        (service) => service.cancel(request, call.caller),
      ),

    deleteRun: (request, call) =>
      served(
        call,
        () => validate(DeleteRunRequestSchema, request),
        (service) => service.delete(request, call.caller),
      ),
  };

  let drained: Promise<void> | undefined;
  return {
    operations,
    calls,
    get running() {
      return late.running;
    },
    start: late.start,
    drain(deadline) {
      calls.refuse();
      calls.abort(
        new GatewayError(Reason.SHUTTING_DOWN, "the server is going down; the run goes on", { retryAfterMs: 1_000 }),
      );
      drained ??= late.stop(deadline);
      return drained;
    },
  };
}

async function* watch(
  request: WatchRunRequest,
  { caller }: CallContext,
  service: () => Promise<RunService>,
  signal: AbortSignal,
): AsyncGenerator<readonly WatchRunResponse[]> {
  await validate(WatchRunRequestSchema, request);
  yield* (await service()).watch(request, caller, signal);
}

/** Runs that are opened when they are first needed. */
function createLateRuns(options: RunsOptions) {
  const stopping = new AbortController();
  let opening: Promise<OpenRuns> | undefined;
  let opened: OpenRuns | undefined;
  let starting: Promise<void> = Promise.resolve();

  const open = async (): Promise<OpenRuns> => {
    try {
      const { openRuns } = await import("./open-runs.ts");
      opened = await openRuns(options);
      return opened;
    } catch (thrown) {
      opening = undefined;
      throw thrown;
    }
  };
  const tryToOpen = async (): Promise<void> => {
    for (let pauseMs = FIRST_PAUSE_MS; !stopping.signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        opening ??= open();
        await opening;
        return;
      } catch (thrown) {
        options.logger.warn({ err: thrown }, "runs can't be worked on: their store can't be opened");
        await sleep(pauseMs, stopping.signal).catch(() => undefined);
      }
    }
  };

  return {
    get running() {
      return opened?.running ?? 0;
    },
    async service(): Promise<RunService> {
      opening ??= open();
      return (await opening).service;
    },
    start(): void {
      if (options.store.exists) starting = tryToOpen();
    },
    async stop(deadline: AbortSignal): Promise<void> {
      stopping.abort();
      await starting;
      const runs = await opening?.catch(() => undefined);
      await runs?.stop(deadline);
    },
  };
}
