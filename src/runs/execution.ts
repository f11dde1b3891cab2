import { clone, create, fromJsonString } from "@bufbuild/protobuf";
import type { Caller } from "../admission/caller.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { createFold } from "../gateway/fold.ts";
import { failureReport } from "../gateway/report.ts";
import { StreamChatCompletionRequestSchema } from "../gen/parley/chat/v1/chat_service_pb.ts";
import type { ChatCompletion, ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import { type ChatCompletionParams, ChatCompletionParamsSchema } from "../gen/parley/chat/v1/params_pb.ts";
import type { CallReport } from "../gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { CreateRunRequestSchema } from "../gen/parley/runs/v1/runs_service_pb.ts";
import { Scope } from "../gen/parley/scopes/v1/scopes_pb.ts";
import { feedOf, readFeed } from "../lib/feed.ts";
import { requestId } from "../lib/ids.ts";
import { CallLog } from "../telemetry/call-log.ts";
import { decodeCaller } from "./caller-json.ts";
import { type Delay, delayOf } from "./delay.ts";
import { cancelled, completed, type Ending, failed } from "./ending.ts";
import { EventWriter } from "./event-writer.ts";
import type { RunsOptions } from "./options.ts";
import { persist } from "./persist.ts";
import type { ClaimedRun, Queue } from "./queue.ts";
import { encodeChunk, encodeRestart } from "./run-event.ts";

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
  | { readonly kind: "put_back"; readonly delay: Delay }
  /** Somebody else has it. */
  | { readonly kind: "lost" };

/** How an attempt went, before that is stored. */
type Attempted =
  | { readonly kind: "ended"; readonly ending: Ending }
  | { readonly kind: "put_back"; readonly delay: Delay };

/** What ended an execution from outside. */
type EndedBy = "lost" | "cancelled" | "interrupted";

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
        attempted.kind === "ended" ? await this.#finish(attempted.ending) : await this.#putBack(attempted.delay);
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
      await readFeed(feedOf(this.#parts.options.operations.streamChatCompletion(request, call)), (batch) => {
        for (const message of batch) {
          if (message.chunk !== undefined) this.#push(message.chunk);
          report = message.report ?? report;
        }
        return this.#writer.room();
      });
      this.#completion = this.#fold.completion;
      return { kind: "ended", ending: completed(this.#completion, report) };
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
    if (!this.#hasEvents && this.run.last_sequence > 0) this.#writer.push(encodeRestart(this.run.attempt));
    this.#hasEvents = true;
    // What is written is not changed by what becomes of the chunk.
    this.#writer.push(encodeChunk(chunk));
    this.#fold.push(chunk);
  }

  #failed(thrown: unknown, isCalled: boolean): Attempted {
    if (this.#endedBy === "cancelled") return { kind: "ended", ending: cancelled(failureReport(this.#log)) };
    if (this.#endedBy === "interrupted") return { kind: "put_back", delay: { afterMs: 0, isLimited: false } };
    const error = GatewayError.from(thrown);
    const delay = delayOf(error, { isCalled, hasEvents: this.#hasEvents });
    if (delay !== undefined) return { kind: "put_back", delay };
    this.#log.failed(error);
    const { cause } = error.details;
    if (cause !== undefined) {
      const { requestId } = this.#log;
      this.#parts.options.logger.error({ requestId, runUid: this.run.uid, err: cause }, "run failed");
    }
    return { kind: "ended", ending: failed(error, failureReport(this.#log)) };
  }

  async #finish(ending: Ending): Promise<Outcome> {
    await this.#writer.finish(ending);
    return { kind: "ended" };
  }

  async #putBack(delay: Delay): Promise<Outcome> {
    await this.#writer.discard();
    const { queue, hurry } = this.#parts;
    const isBack = await persist(() => queue.putBack(this.run, delay.afterMs), hurry);
    if (isBack) return { kind: "put_back", delay };
    // It is lost, or was asked to end meanwhile.
    return this.#finish(cancelled(failureReport(this.#log)));
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
