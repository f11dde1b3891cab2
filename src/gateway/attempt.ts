import type { GatewayError } from "../errors/gateway-error.ts";
import { Attempt_Outcome } from "../gen/parley/chat/v1/report_pb.ts";
import type { Pass } from "../routing/breaker.ts";
import type { Latency } from "../routing/latency.ts";
import type { Candidate } from "../routing/target.ts";
import { latencyOf } from "../routing/target-state.ts";
import type { AttemptRecord } from "../telemetry/attempt-record.ts";
import type { CallLog } from "../telemetry/call-log.ts";
import type { AttemptOptions, PlannedCall } from "../upstream/backend.ts";
import type { CallPart, CallScope } from "./call-scope.ts";
import { silent } from "./silent.ts";
import { beginRecord } from "./trail.ts";

/** What an attempt is made of. */
export interface AttemptParts {
  readonly candidate: Candidate;
  /** What is adjusted for the target. */
  readonly adjustments: PlannedCall["adjustments"];
  readonly scope: CallScope;
  readonly log: CallLog;
  /** The breaker's leave. */
  readonly pass: Pass;
  readonly streaming: boolean;
  readonly credential: number;
  readonly queuedMs: number | undefined;
  readonly hedge: boolean;
  /** How long the target may be silent; undefined: as long as the call lasts. */
  readonly outputWithinMs: number | undefined;
}

/**
 * One try to get an answer from one target. It has a place at the target until one of its ends is told; the first one counts. It ends with
 * its call, and can end before.
 */
export class Attempt implements CallPart {
  readonly candidate: Candidate;
  readonly adjustments: PlannedCall["adjustments"];
  readonly record: AttemptRecord;
  /** How the planned call is made. */
  readonly options: AttemptOptions;
  /** When the target has been silent for too long. */
  dueAt = Number.POSITIVE_INFINITY;
  readonly #parts: AttemptParts;
  readonly #controller = new AbortController();
  #withinMs: number | undefined;
  #silentMs: number | undefined;
  #isOver = false;

  constructor(parts: AttemptParts) {
    const { candidate, adjustments, scope, log, credential, queuedMs, hedge, outputWithinMs } = parts;
    const { target } = candidate;
    this.#parts = parts;
    this.candidate = candidate;
    this.adjustments = adjustments;
    const shownCredential = target.backend.credentials > 1 ? credential : undefined;
    this.record = beginRecord(log, target, { credential: shownCredential, hedge, queuedMs });
    // Bound, and not an arrow function: tsx names each of those as it is made.
    this.options = { credential, onHead: this.#headCame.bind(this) };
    scope.join(this);
    this.awaitOutput(outputWithinMs);
  }

  /** Aborted when the call ends, when the target is silent for too long, and when another attempt was quicker. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Where the silence of the target ended it: for how long that was borne, in milliseconds. */
  get silentMs(): number | undefined {
    return this.#silentMs;
  }

  /** From now on the target has that many milliseconds for its next output. Undefined: no bound of its own. */
  awaitOutput(withinMs: number | undefined): void {
    this.#withinMs = withinMs;
    this.dueAt = withinMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + withinMs;
    if (withinMs !== undefined) this.#parts.scope.sooner(this.dueAt);
  }

  due(): void {
    const withinMs = this.#withinMs ?? 0;
    this.dueAt = Number.POSITIVE_INFINITY;
    this.#silentMs = withinMs;
    this.#controller.abort(silent(withinMs));
  }

  /** The first output came. Later calls change nothing. */
  outputCame(): void {
    if (this.record.firstMs !== undefined) return;
    const firstMs = this.#parts.log.elapsedMs();
    this.record.firstMs = firstMs;
    if (this.#parts.streaming) this.#latency.observe(firstMs - this.record.startedMs, Date.now());
  }

  /** It answered. */
  succeeded(): void {
    const ranMs = this.#end(Attempt_Outcome.SUCCEEDED);
    if (ranMs === undefined) return;
    this.#parts.pass.succeeded();
    if (!this.#parts.streaming) this.#latency.observe(ranMs, Date.now());
  }

  /**
   * It failed; `isFault`: by a fault of the target. That is held against it where a network lies between. A silence that is no fault was
   * too short to tell.
   */
  failed(error: GatewayError, isFault: boolean): void {
    const ranMs = this.#end(Attempt_Outcome.FAILED);
    if (ranMs === undefined) return;
    this.record.error = error;
    if (isFault && this.candidate.target.backend.networked) this.#parts.pass.failed();
    else if (this.#silentMs !== undefined) this.#parts.pass.abandoned();
    else this.#parts.pass.succeeded();
    if (this.#silentMs !== undefined) this.#outlasted(ranMs);
  }

  /** The call ended before it: that is nobody's failure. */
  cancelled(): void {
    if (this.#end(Attempt_Outcome.CANCELLED) !== undefined) this.#parts.pass.abandoned();
  }

  /** Another attempt was quicker. Ends what is under way. */
  superseded(): void {
    const ranMs = this.#end(Attempt_Outcome.SUPERSEDED);
    if (ranMs === undefined) return;
    this.#parts.pass.abandoned();
    this.#outlasted(ranMs);
    this.#controller.abort(SUPERSEDED);
  }

  #headCame(): void {
    this.record.headMs = this.#parts.log.elapsedMs();
  }

  get #latency(): Latency {
    return latencyOf(this.candidate.target.state, this.#parts.streaming);
  }

  /** It ended, after so many milliseconds, before anything came. */
  #outlasted(ranMs: number): void {
    if (this.record.firstMs === undefined) this.#latency.outlasted(ranMs, Date.now());
  }

  /** Returns how long it ran, in milliseconds; undefined: it had ended before. */
  #end(outcome: Attempt_Outcome): number | undefined {
    if (this.#isOver) return undefined;
    this.#isOver = true;
    const { scope, log } = this.#parts;
    scope.leave(this);
    const endedMs = log.elapsedMs();
    this.record.outcome = outcome;
    this.record.endedMs = endedMs;
    const ranMs = endedMs - this.record.startedMs;
    this.candidate.target.state.lane.leave(ranMs);
    return ranMs;
  }

  /** Is told at once, so that the call's line in the log knows of it. */
  callEnded(error: GatewayError): void {
    this.#controller.abort(error);
    if (!this.#parts.scope.fellSilent) this.cancelled();
  }
}

const SUPERSEDED = new Error("another target answered first");
