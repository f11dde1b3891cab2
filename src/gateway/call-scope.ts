import { deadlineExceeded } from "../errors/deadline-exceeded.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { CallContext } from "./operation.ts";
import { silent } from "./silent.ts";

/** The time that one call has, and the ways in which it can end early. */
export interface CallScope {
  /** Aborted, with a GatewayError, by the deadline, the client, silence of the model, or the end of the server. */
  readonly signal: AbortSignal;
  /** Whether it was the silence of the model that ended the call. */
  readonly fellSilent: boolean;
  /** How many milliseconds are left of the call's time. */
  leftMs(): number;
  /** From now on the gateway waits for the model, which has that many milliseconds for its next output. Undefined: no bound. */
  awaitOutput(withinMs: number | undefined): void;
  /** Output came, or the model has ended: the gateway does not wait for it now. */
  outputCame(): void;
  /** The call is over: its timers and listeners go. */
  close(): void;
}

/** The calls that are running. */
export interface LiveCalls {
  /** How many there are. */
  readonly size: number;
  /** Opens the scope of a call. Fails with SHUTTING_DOWN after `refuse`. A default of Infinity: it may take as long as it likes. */
  open(call: CallContext, defaultTimeoutMs: number): CallScope;
  /** Takes no more calls. */
  refuse(): void;
  /** Ends every call that is running, with this error. */
  abort(error: GatewayError): void;
  /** Resolves when none is running. */
  idle(): Promise<void>;
}

/** Makes an empty set of calls. */
export function createLiveCalls(): LiveCalls {
  const running = new Set<Scope>();
  let refusing = false;
  let waiting: (() => void)[] = [];
  const closed = (scope: Scope): void => {
    if (!running.delete(scope) || running.size > 0) return;
    for (const resolve of waiting.splice(0)) resolve();
  };
  return {
    get size() {
      return running.size;
    },
    open(call, defaultTimeoutMs) {
      if (refusing) throw new GatewayError(Reason.SHUTTING_DOWN, "the server is going down", { retryAfterMs: 1000 });
      const scope = new Scope(call, defaultTimeoutMs, closed);
      running.add(scope);
      return scope;
    },
    refuse() {
      refusing = true;
    },
    abort(error) {
      for (const scope of [...running]) scope.abort(error);
    },
    idle() {
      if (running.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        waiting = [...waiting, resolve];
      });
    },
  };
}

class Scope implements CallScope {
  readonly #controller = new AbortController();
  readonly #client: AbortSignal;
  readonly #closed: (scope: Scope) => void;
  readonly #deadline: NodeJS.Timeout | undefined;
  readonly #endsAt: number;
  #silence: NodeJS.Timeout | undefined;
  #silenceMs: number | undefined;
  /** Whether the gateway waits for the model; while a slow client reads, it does not. */
  #waiting = false;
  /** Whether the time for the next output passed; only who waits minds it. */
  #isOverdue = false;

  constructor(call: CallContext, defaultTimeoutMs: number, closed: (scope: Scope) => void) {
    this.#client = call.signal;
    this.#closed = closed;
    const timeoutMs = call.timeoutMs ?? defaultTimeoutMs;
    this.#client.addEventListener("abort", this.#clientGone);
    const left = Math.max(0, timeoutMs - call.log.elapsedMs());
    this.#endsAt = performance.now() + left;
    if (this.#client.aborted) this.#clientGone();
    else if (left !== Number.POSITIVE_INFINITY) {
      this.#deadline = setTimeout(() => this.abort(deadlineExceeded(timeoutMs)), left);
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get fellSilent(): boolean {
    return this.#waiting && this.#isOverdue;
  }

  leftMs(): number {
    return Math.max(0, this.#endsAt - performance.now());
  }

  abort(error: GatewayError): void {
    this.#controller.abort(error);
  }

  awaitOutput(withinMs: number | undefined): void {
    this.#waiting = withinMs !== undefined;
    this.#isOverdue = false;
    if (withinMs === this.#silenceMs) {
      this.#silence?.refresh(); // Far cheaper than a new timer, and done for every batch of a stream.
      return;
    }
    clearTimeout(this.#silence);
    this.#silenceMs = withinMs;
    this.#silence = withinMs === undefined ? undefined : setTimeout(() => this.#fellSilent(withinMs), withinMs);
  }

  outputCame(): void {
    this.#waiting = false;
  }

  close(): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#silence);
    this.#client.removeEventListener("abort", this.#clientGone);
    this.#closed(this);
  }

  #fellSilent(withinMs: number): void {
    this.#isOverdue = true;
    if (this.#waiting) this.abort(silent(withinMs));
  }

  readonly #clientGone = (): void => this.abort(GatewayError.from(this.#client.reason));
}
