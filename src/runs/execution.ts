import { clone, create, fromJsonString, toJson, toJsonString } from "@bufbuild/protobuf";
import type { Caller } from "../admission/caller.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { createFold } from "../gateway/fold.ts";
import { failureReport } from "../gateway/report.ts";
import { StreamChatCompletionRequestSchema } from "../gen/parley/chat/v1/chat_service_pb.ts";
import {
  type ChatCompletion,
  type ChatCompletionChunk,
  ChatCompletionSchema,
} from "../gen/parley/chat/v1/completion_pb.ts";
import { type ChatCompletionParams, ChatCompletionParamsSchema } from "../gen/parley/chat/v1/params_pb.ts";
import { type CallReport, CallReportSchema } from "../gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import {
  CreateRunRequestSchema,
  RunErrorSchema,
  RunRestartSchema,
  WatchRunResponseSchema,
} from "../gen/parley/runs/v1/runs_service_pb.ts";
import { Scope } from "../gen/parley/scopes/v1/scopes_pb.ts";
import { requestId } from "../lib/ids.ts";
import { CallLog } from "../telemetry/call-log.ts";
import { decodeCaller } from "./caller-json.ts";
import { EventWriter } from "./event-writer.ts";
import type { RunsOptions } from "./options.ts";
import { isAway, persist } from "./persist.ts";
import type { ClaimedRun, Ending, Queue } from "./queue.ts";
import { runErrorOf } from "./run-error.ts";

/** What executions share. */
export interface ExecutionParts {
  readonly options: Pick<RunsOptions, "operations" | "recall" | "logger" | "finished">;
  readonly queue: Queue;
  /** Aborted when there is no time left for the store to come back. */
  readonly hurry: AbortSignal;
}

/** What came of an execution. */
export type Outcome =
  | { readonly kind: "ended" }
  /** It waits again; `isLimited`: for its owner's limits, so that others of that owner have to, too. */
  | { readonly kind: "put_back"; readonly afterMs: number; readonly isLimited: boolean }
  /** Somebody else has it. */
  | { readonly kind: "lost" };

/** How an attempt went, before that is stored. */
type Attempted =
  | { readonly kind: "ended"; readonly ending: Ending }
  | { readonly kind: "again"; readonly afterMs: number; readonly isLimited: boolean };

/** What ended an execution from outside. */
type EndedBy = "lost" | "cancelled" | "interrupted";

/** Time after which a run is tried again that this process could not try now. */
const LATER_MS = 1_000;

/** Longest time until a run is tried again that its owner's limits refused: limits can be raised, and budgets, too. */
const LONGEST_WAIT_MS = 60_000;

/** One execution of one run, by this process. */
export class Execution {
  readonly run: ClaimedRun;
  readonly #parts: ExecutionParts;
  readonly #log = new CallLog(requestId(), "run");
  readonly #controller = new AbortController();
  readonly #writer: EventWriter;
  readonly #fold = createFold();
  readonly #before: Caller;
  #caller: Caller | undefined;
  #params: ChatCompletionParams | undefined;
  #completion: ChatCompletion | undefined;
  #hasEvents = false;
  #endedBy: EndedBy | undefined;

  constructor(run: ClaimedRun, parts: ExecutionParts) {
    this.run = run;
    this.#parts = parts;
    this.#before = decodeCaller(run.caller);
    this.#writer = new EventWriter(run.last_sequence, async (append) => {
      if (!(await persist(() => parts.queue.append(run, append), parts.hurry))) throw new RunLost();
    });
    this.#log.named("StreamChatCompletion");
  }

  /** Somebody else has the run. */
  lost(): void {
    // That is no fault of anybody's: the log says it as of a call that was cancelled.
    this.#end("lost", new GatewayError(Reason.CANCELLED, "the run is somebody else's"));
  }

  /** The run was asked to end. */
  cancel(): void {
    this.#end("cancelled", new GatewayError(Reason.CANCELLED, "the run was cancelled"));
  }

  /** This process ends, and the run goes on elsewhere or later. */
  interrupt(): void {
    this.#end("interrupted", new GatewayError(Reason.SHUTTING_DOWN, "the server went down before the run ended"));
  }

  /** Executes the run, and stores what comes of it. Rejects where that can't be stored; then the lease will run out. */
  async execute(): Promise<Outcome> {
    try {
      const attempted = await this.#attempt();
      const outcome =
        attempted.kind === "ended" ? await this.#finish(attempted.ending) : await this.#putBack(attempted);
      this.#tell(outcome);
      return outcome;
    } catch (thrown) {
      await this.#writer.discard();
      this.#tell({ kind: "lost" });
      if (thrown instanceof RunLost) return { kind: "lost" };
      throw thrown;
    }
  }

  #end(by: EndedBy, reason: Error): void {
    this.#endedBy ??= by;
    this.#controller.abort(reason);
  }

  async #attempt(): Promise<Attempted> {
    let isCalled = false;
    try {
      const caller = await this.#recall();
      const { params, options } = fromJsonString(CreateRunRequestSchema, this.run.request ?? "");
      this.#params = clone(ChatCompletionParamsSchema, params ?? create(ChatCompletionParamsSchema));
      const request = create(StreamChatCompletionRequestSchema, {
        ...(params && { params }),
        ...(options && { options }),
      });
      isCalled = true;
      let report: CallReport | undefined;
      const call = {
        caller,
        log: this.#log,
        signal: this.#controller.signal,
        timeoutMs: this.run.timeout_ms,
      };
      for await (const batch of this.#parts.options.operations.streamChatCompletion(request, call)) {
        for (const message of batch) {
          if (message.chunk !== undefined) this.#push(message.chunk);
          report = message.report ?? report;
        }
        await this.#writer.room();
      }
      return { kind: "ended", ending: this.#completed(report) };
    } catch (thrown) {
      if (thrown instanceof RunLost || this.#endedBy === "lost") throw new RunLost();
      return this.#failed(thrown, isCalled);
    }
  }

  async #recall(): Promise<Caller> {
    const caller = await this.#parts.options.recall(this.#before);
    this.#controller.signal.throwIfAborted();
    if (caller === undefined) {
      throw new GatewayError(Reason.INVALID_API_KEY, "what queued the run may not call any more");
    }
    this.#caller = caller;
    if (!caller.scopes.has(Scope.RUNS)) {
      throw new GatewayError(Reason.PERMISSION_DENIED, "what queued the run may not have runs any more");
    }
    return caller;
  }

  #push(chunk: ChatCompletionChunk): void {
    if (!this.#hasEvents && this.run.last_sequence > 0) this.#writer.push(restartEvent(this.run.attempt));
    this.#hasEvents = true;
    // What is written is not changed by what becomes of the chunk.
    this.#writer.push(chunkEvent(chunk));
    this.#fold.push(chunk);
  }

  #completed(report: CallReport | undefined): Ending {
    this.#completion = this.#fold.completion;
    return {
      status: "completed",
      response: toJsonString(ChatCompletionSchema, this.#completion),
      ...(report && { report: toJsonString(CallReportSchema, report) }),
    };
  }

  #failed(thrown: unknown, isCalled: boolean): Attempted {
    const error = GatewayError.from(thrown);
    const again = (afterMs: number, isLimited = false): Attempted => ({ kind: "again", afterMs, isLimited });
    if (this.#endedBy === "cancelled") return { kind: "ended", ending: this.#ending("cancelled") };
    if (this.#endedBy === "interrupted") return again(0);
    const { retryAfterMs = LATER_MS, quota = "" } = error.details;
    if (error.reason === Reason.SHUTTING_DOWN) return again(retryAfterMs);
    if (!isCalled && isAway(error)) return again(LATER_MS);
    if (error.reason === Reason.RATE_LIMIT_EXCEEDED && quota.startsWith("key:") && !this.#hasEvents) {
      return again(Math.min(retryAfterMs, LONGEST_WAIT_MS), true);
    }
    this.#log.failed(error);
    if (error.details.cause !== undefined) {
      const { requestId } = this.#log;
      this.#parts.options.logger.error({ requestId, runUid: this.run.uid, err: error.details.cause }, "run failed");
    }
    return {
      kind: "ended",
      ending: { ...this.#ending("failed"), error: toJsonString(RunErrorSchema, runErrorOf(error)) },
    };
  }

  #ending(status: "failed" | "cancelled"): Ending {
    const report = failureReport(this.#log);
    return { status, ...(report && { report: toJsonString(CallReportSchema, report) }) };
  }

  async #finish(ending: Ending): Promise<Outcome> {
    await this.#writer.finish(ending);
    return { kind: "ended" };
  }

  async #putBack({ afterMs, isLimited }: Extract<Attempted, { kind: "again" }>): Promise<Outcome> {
    await this.#writer.discard();
    const { queue, hurry } = this.#parts;
    const isBack = await persist(() => queue.putBack(this.run, afterMs), hurry);
    if (isBack) return { kind: "put_back", afterMs, isLimited };
    // It is lost, or was asked to end meanwhile.
    return this.#finish(this.#ending("cancelled"));
  }

  /** Who asked nobody, and has not ended, is not told of. */
  #tell({ kind }: Outcome): void {
    if (kind !== "ended" && this.#log.attempts.length === 0) return;
    this.#parts.options.finished?.(this.#log, {
      runUid: this.run.uid,
      durationMs: this.#log.elapsedMs(),
      caller: this.#caller ?? this.#before,
      params: this.#params,
      completion: this.#completion,
    });
  }
}

/** Somebody else has the run. */
class RunLost extends Error {
  override readonly name = "RunLost";
  constructor() {
    super("the run is somebody else's");
  }
}

const chunkEvent = (value: ChatCompletionChunk): string =>
  JSON.stringify(toJson(WatchRunResponseSchema, create(WatchRunResponseSchema, { event: { case: "chunk", value } })));

const restartEvent = (attempt: number): string =>
  toJsonString(
    WatchRunResponseSchema,
    create(WatchRunResponseSchema, { event: { case: "restart", value: create(RunRestartSchema, { attempt }) } }),
  );
