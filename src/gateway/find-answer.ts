import { GatewayError } from "../errors/gateway-error.ts";
import { Attempt_Outcome } from "../gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { remove } from "../lib/remove.ts";
import { sleep } from "../lib/sleep.ts";
import { shareOf, USUAL_SILENCE_MS } from "../routing/share.ts";
import { nextStep, type Step } from "../routing/step.ts";
import type { Candidate } from "../routing/target.ts";
import { silenceVerdict, type Verdict, verdictOf } from "../routing/verdict.ts";
import type { CallLog } from "../telemetry/call-log.ts";
import type { PlannedCall } from "../upstream/backend.ts";
import { Attempt } from "./attempt.ts";
import type { CallPart, CallScope } from "./call-scope.ts";
import { Leg } from "./leg.ts";
import type { RoutingOptions } from "./options.ts";
import { type PreparedCall, planFor } from "./prepare.ts";
import { noteEnd, noteMove, noteSkipped } from "./trail.ts";

/** How an answer is looked for. */
export interface SearchParts {
  readonly prepared: PreparedCall;
  readonly scope: CallScope;
  readonly log: CallLog;
  readonly options: RoutingOptions;
}

/** What an answer is: whole, or a stream. */
export interface AnswerKind<Answered, T> {
  /**
   * Makes an attempt by its plan, up to where the client may see something of it. Nothing that it does may be visible before. The plan,
   * which has the whole request, is not kept.
   */
  ask(plan: PlannedCall, attempt: Attempt, parts: SearchParts): Promise<Answered>;
  /** Takes what an attempt was answered. Throws where it is no answer. */
  take(answered: Answered, attempt: Attempt, parts: SearchParts): T;
  /** Lets go of an answer, because another attempt was quicker. */
  discard(value: T): void;
}

/** An answer that may be given to the client. */
export interface Found<T> {
  /** Who gives it. The attempt is not over yet: whoever takes the answer says how it ends. */
  readonly attempt: Attempt;
  readonly value: T;
}

/**
 * Asks one target after the other, and again where that may help, until one of them answers. Fails, when no target is left that may be
 * asked in time, with the failure that tells the caller most; and with the signal's reason as soon as the call ends.
 */
export async function findAnswer<Answered, T>(kind: AnswerKind<Answered, T>, parts: SearchParts): Promise<Found<T>> {
  const search = new Search(kind, parts);
  try {
    for (;;) {
      await search.next();
      if (search.found !== undefined) return search.found;
    }
  } catch (thrown) {
    noteEnd(parts.log);
    throw thrown;
  }
}

const notNow = (why: string): GatewayError => new GatewayError(Reason.NO_AVAILABLE_UPSTREAM, why);

/** Why a target is passed over. Made once: an error takes its time, and many targets may be down. */
const PASSED_OVER = {
  failing: notNow("calls are kept from it, because it failed"),
  resting: notNow("it wants to be left alone for a while"),
  crowded: notNow("all its places are taken"),
};

class Search<Answered, T> {
  readonly #answerKind: AnswerKind<Answered, T>;
  readonly #parts: SearchParts;
  readonly #chosen: readonly Candidate[];
  /** By their places. Each is made when it is first looked at: of many targets, most never are. */
  readonly #made: (Leg | undefined)[] = [];
  readonly #failures: GatewayError[] = [];
  readonly #refusals: GatewayError[] = [];
  readonly #running: Attempt[] = [];
  /** Those that wait for a place. */
  readonly #waiting: AbortController[] = [];
  /** The failure that is the request's own: others would refuse it, too. */
  #refused: GatewayError | undefined;
  #waitLeftMs: number;
  #found: Found<T> | undefined;

  constructor(kind: AnswerKind<Answered, T>, parts: SearchParts) {
    this.#answerKind = kind;
    this.#parts = parts;
    this.#chosen = parts.prepared.choice.chosen;
    this.#waitLeftMs = parts.options.maxWaitMs;
  }

  /** The answer, as soon as there is one. */
  get found(): Found<T> | undefined {
    return this.#found;
  }

  /** Does what is next: asks a target, or waits. Throws where there is nothing left to do. */
  next(): Promise<void> {
    const { scope, options } = this.#parts;
    scope.throwIfEnded();
    const step = this.#step(undefined);
    if (step.kind === "give_up") throw this.#failure(step);
    if (step.kind === "wait") {
      this.#waitLeftMs -= step.ms;
      return sleep(step.ms, scope.signal);
    }
    this.#notePassedOver(step.at);
    const leg = this.#leg(step.at);
    const trying = this.#try(leg, false);
    return options.hedgeAfterMs === undefined ? trying : this.#withHedge(leg, trying, options.hedgeAfterMs);
  }

  /** Whether no attempt is to begin any more. */
  get #isOver(): boolean {
    return this.#found !== undefined || this.#parts.scope.ended !== undefined;
  }

  #leg(at: number): Leg {
    const leg = this.#made[at] ?? new Leg(this.#chosen[at] as Candidate);
    this.#made[at] = leg;
    return leg;
  }

  get #legs(): readonly Leg[] {
    return this.#chosen.map((_, at) => this.#leg(at));
  }

  /** The next step among some of the targets; undefined: among all of them. */
  #step(legs: readonly Leg[] | undefined): Step {
    const leftMs = this.#parts.scope.leftMs();
    const now = Date.now();
    const limits = { maxRetries: this.#parts.options.maxRetries, waitLeftMs: this.#waitLeftMs, leftMs };
    const { length } = legs ?? this.#chosen;
    return nextStep(length, (at) => (legs?.[at] ?? this.#leg(at)).stop(now, leftMs), now, limits);
  }

  /** Waits for an attempt; when it is silent for as long as the caller said, the next target is asked, too. */
  async #withHedge(leg: Leg, first: Promise<void>, hedgeAfterMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<true>((resolve) => {
      timer = setTimeout(() => resolve(true), hedgeAfterMs);
    });
    const isLate = (await Promise.race([first, late])) === true;
    clearTimeout(timer);
    if (!isLate) return first;
    // Nobody waits for a place to be asked beside another.
    const others = this.#legs.filter((other) => other !== leg && other.isUntried && other.hasPlace);
    const step = this.#step(others);
    if (step.kind !== "ask") return first;
    const second = this.#try(others[step.at] as Leg, true);
    // The first one to answer ends the other; where one fails, the other one goes on.
    await Promise.all([first, second]);
  }

  /** Makes one attempt. What comes of it is written down; it does not throw. */
  async #try(leg: Leg, hedge: boolean): Promise<void> {
    const { scope, log, prepared } = this.#parts;
    const { streaming } = prepared;
    const { candidate } = leg;
    const { lane, breaker } = candidate.target.state;
    const plan = this.#plan(leg);
    if (plan === undefined) return;
    const queuedMs = lane.take() ? 0 : await this.#waitForPlace(leg);
    if (queuedMs === undefined) return;
    const pass = !this.#isOver && leg.mayBeAsked ? breaker.admit() : undefined;
    if (pass === undefined) {
      lane.leave(undefined);
      return;
    }
    const credential = leg.pickKey(Date.now());
    noteMove(log, candidate.target, credential);
    leg.asked();
    const attempt = new Attempt({
      candidate,
      adjustments: plan.adjustments,
      scope,
      log,
      pass,
      streaming,
      credential,
      queuedMs: queuedMs > 0 ? queuedMs : undefined,
      hedge,
      outputWithinMs: this.#outputWithin(leg),
    });
    this.#running.push(attempt);
    try {
      const answered = await this.#answerKind.ask(plan, attempt, this.#parts);
      const value = this.#answerKind.take(answered, attempt, this.#parts);
      attempt.awaitOutput(undefined);
      if (this.#found === undefined) this.#win({ attempt, value });
      else this.#answerKind.discard(value);
    } catch (thrown) {
      this.#failed(leg, attempt, credential, GatewayError.from(thrown));
    } finally {
      remove(this.#running, attempt);
    }
  }

  #win(found: Found<T>): void {
    this.#found = found;
    const { attempt } = found;
    for (const other of this.#running) if (other !== attempt) other.superseded();
    for (const waiting of this.#waiting) waiting.abort(new Error("another target answered first"));
    const { log, prepared } = this.#parts;
    const { candidate, adjustments } = attempt;
    // What failed beside it, after it had begun.
    noteMove(log, candidate.target, attempt.options.credential);
    log.routed(prepared.params.model, candidate.target.name, adjustments);
  }

  #failed(leg: Leg, attempt: Attempt, credential: number, error: GatewayError): void {
    if (this.#parts.scope.ended !== undefined) {
      attempt.cancelled();
      return;
    }
    if (attempt.record.outcome === Attempt_Outcome.SUPERSEDED) return;
    const verdict = this.#silence(attempt) ?? verdictOf(error);
    attempt.failed(error, verdict.isFault);
    this.#failures.push(error);
    leg.failed(verdict, error, credential, Date.now());
    if (verdict.elsewhere === "any") return;
    if (verdict.elsewhere === "no") this.#refused = error;
    const { contextWindow } = attempt.candidate.target.facts;
    for (const other of this.#legs) {
      if (other === leg) continue;
      const isLarger = other.candidate.target.facts.contextWindow > contextWindow;
      if (verdict.elsewhere === "no" || (Number.isFinite(contextWindow) && !isLarger)) other.leaveOut();
    }
  }

  /** Plans the call for a target. One that refuses it, or, where the call is strict, would get something else, is left out. */
  #plan(leg: Leg): PlannedCall | undefined {
    const { log, prepared } = this.#parts;
    const { target } = leg.candidate;
    try {
      return planFor(prepared, target, log);
    } catch (thrown) {
      const error = GatewayError.from(thrown);
      leg.leaveOut();
      this.#refusals.push(error);
      if (this.#chosen.length > 1) this.#skip(leg, error);
      return undefined;
    }
  }

  /** Waits for a place at a target, and returns how long that took; undefined where there was none, or the call ended before. */
  async #waitForPlace({ candidate }: Leg): Promise<number | undefined> {
    const { scope, log } = this.#parts;
    const { lane } = candidate.target.state;
    if (!lane.hasRoomFor(scope.leftMs())) return undefined;
    const from = log.elapsedMs();
    const waiting = new AbortController();
    const part: CallPart = { callEnded: (error) => waiting.abort(error) };
    scope.join(part);
    this.#waiting.push(waiting);
    try {
      await lane.wait(waiting.signal);
    } catch {
      return undefined;
    } finally {
      scope.leave(part);
      remove(this.#waiting, waiting);
    }
    return log.elapsedMs() - from;
  }

  get #kind(): keyof typeof USUAL_SILENCE_MS {
    return this.#parts.prepared.streaming ? "stream" : "whole";
  }

  /** How long a target may be silent, as it is configured. */
  get #configuredMs(): number | undefined {
    const { firstChunkMs, attemptMs } = this.#parts.options;
    return this.#kind === "stream" ? firstChunkMs : attemptMs;
  }

  /** How long a target may be silent: its share of the time that is left while there are others to ask. */
  #outputWithin(leg: Leg): number | undefined {
    const alone = this.#kind === "stream" ? this.#configuredMs : undefined;
    if (this.#chosen.length === 1) return alone;
    const leftMs = this.#parts.scope.leftMs();
    const others = this.#countOthers(leg, leftMs);
    if (others === 0) return alone;
    return Math.min(this.#configuredMs ?? Number.POSITIVE_INFINITY, shareOf(leftMs, others, this.#kind));
  }

  /** How many there are to ask besides. One whose breaker lets a call go in time is one, too. */
  #countOthers(leg: Leg, leftMs: number): number {
    const inTime = Date.now() + leftMs / 2;
    let others = 0;
    for (let at = 0; at < this.#chosen.length; at++) {
      const other = this.#made[at];
      if (other === leg || other?.isUntried === false) continue;
      const { lane, breaker } = (this.#chosen[at] as Candidate).target.state;
      if (lane.hasPlace && breaker.readyAt <= inTime) others += 1;
    }
    return others;
  }

  /** What the silence of a target means; undefined where it is not what ended the attempt. */
  #silence({ silentMs, record }: Attempt): Verdict | undefined {
    if (silentMs === undefined) return undefined;
    const enoughMs = this.#configuredMs ?? USUAL_SILENCE_MS[this.#kind];
    return silenceVerdict(record.firstMs !== undefined || silentMs >= enoughMs);
  }

  /** Writes down which targets come before this one and were not asked, because they take no calls now. */
  #notePassedOver(at: number): void {
    for (let before = 0; before < at; before++) {
      const leg = this.#leg(before);
      if (!leg.isUntried || leg.isNoted) continue;
      const { breaker, lane } = leg.candidate.target.state;
      const { failing, resting, crowded } = PASSED_OVER;
      this.#skip(leg, breaker.readyAt > Date.now() ? failing : lane.hasPlace ? resting : crowded);
    }
  }

  #skip(leg: Leg, error: GatewayError): void {
    leg.isNoted = true;
    noteSkipped(this.#parts.log, leg.candidate.target, error);
  }

  /**
   * The failure that tells the caller most: that the request is at fault; or else the last one that may pass, or the last one; or that
   * nobody takes calls now.
   */
  #failure({ retryAfterMs, isFull }: Extract<Step, { kind: "give_up" }>): GatewayError {
    const failure = this.#refused ?? this.#failures.findLast(({ retryable }) => retryable) ?? this.#failures.at(-1);
    if (failure !== undefined) return failure;
    const [refusal] = this.#refusals;
    if (refusal !== undefined && retryAfterMs === undefined) return refusal;
    const names = this.#chosen.map(({ target }) => target.name);
    const who = names.length > 3 ? `${names.slice(0, 3).join(", ")} and others` : names.join(", ");
    const why = isFull ? "takes no more calls at once" : "takes no calls now, because it failed lately";
    return new GatewayError(Reason.NO_AVAILABLE_UPSTREAM, `${who} ${why}`, { retryAfterMs });
  }
}
