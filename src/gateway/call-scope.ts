import { deadlineExceeded } from "../errors/deadline-exceeded.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { type Due, DueList } from "../lib/due-list.ts";
import { remove } from "../lib/remove.ts";
import type { Listed } from "../lib/roster.ts";
import type { CallContext } from "./operation.ts";
import { silent } from "./silent.ts";

/** A part of a call that has to hear of it at once when the call ends early, and may have a time of its own. */
export interface CallPart extends Partial<Due> {
  /** The call ended early. */
  callEnded(error: GatewayError): void;
}

/** The time that one call has, and the ways in which it can end early. */
export interface CallScope {
  /** What ended the call: its deadline, the client, silence of the model, or the end of the server; undefined while it may go on. */
  readonly ended: GatewayError | undefined;
  /** Aborted with that. It is made when it is first asked for, and few calls ask: their parts join instead, which costs far less. */
  readonly signal: AbortSignal;
  /** Whether it was the silence of the model that ended the call. */
  readonly fellSilent: boolean;
  /** Throws what ended the call, if anything did. */
  throwIfEnded(): void;
  /** How many milliseconds are left of the call's time. */
  leftMs(): number;
  /** Tells a part when the call ends early, and when it is due itself, until it leaves. */
  join(part: CallPart): void;
  /** A part may be due sooner than before, at that time. */
  sooner(at: number): void;
  leave(part: CallPart): void;
  /** From now on the gateway waits for the model, which has that many milliseconds for its next output. Undefined: no bound. */
  awaitOutput(withinMs: number | undefined): void;
  /** Output came, or the model has ended: the gateway does not wait for it now. */
  outputCame(): void;
  /** The call is over: nothing ends it any more. */
  close(): void;
}

/** Opens the scope of a call. */
export type OpenScope = (call: CallContext) => CallScope;

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
  const running = new DueList<Scope>();
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
      const scope = new Scope(call, defaultTimeoutMs, running, closed);
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

class Scope implements CallScope, Due, Listed {
  place = -1;
  readonly #running: DueList<Scope>;
  readonly #client: AbortSignal;
  readonly #closed: (scope: Scope) => void;
  readonly #timeoutMs: number;
  readonly #endsAt: number;
  readonly #parts: CallPart[] = [];
  #ended: GatewayError | undefined;
  #controller: AbortController | undefined;
  /** When the model has been silent for too long. While a slow client reads, the gateway does not wait for it, and minds no silence. */
  #silentAt = Number.POSITIVE_INFINITY;
  #silenceMs = 0;
  #fellSilent = false;

  constructor(call: CallContext, defaultTimeoutMs: number, running: DueList<Scope>, closed: (scope: Scope) => void) {
    this.#running = running;
    this.#client = call.signal;
    this.#closed = closed;
    this.#timeoutMs = call.timeoutMs ?? defaultTimeoutMs;
    this.#endsAt = performance.now() + Math.max(0, this.#timeoutMs - call.log.elapsedMs());
    this.#client.addEventListener("abort", this);
    if (this.#client.aborted) this.handleEvent();
  }

  get ended(): GatewayError | undefined {
    return this.#ended;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ended !== undefined) this.#controller.abort(this.#ended);
    }
    return this.#controller.signal;
  }

  get fellSilent(): boolean {
    return this.#fellSilent;
  }

  get dueAt(): number {
    if (this.#ended !== undefined) return Number.POSITIVE_INFINITY;
    let soonest = Math.min(this.#endsAt, this.#silentAt);
    for (const { dueAt } of this.#parts) if (dueAt !== undefined && dueAt < soonest) soonest = dueAt;
    return soonest;
  }

  due(): void {
    const now = performance.now();
    for (const part of [...this.#parts]) if (part.dueAt !== undefined && part.dueAt <= now) part.due?.();
    if (this.#ended !== undefined) return;
    if (this.#endsAt <= now) this.abort(deadlineExceeded(this.#timeoutMs));
    else if (this.#silentAt <= now) {
      this.#fellSilent = true;
      this.abort(silent(this.#silenceMs));
    }
  }

  throwIfEnded(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  leftMs(): number {
    return Math.max(0, this.#endsAt - performance.now());
  }

  join(part: CallPart): void {
    this.#parts.push(part);
  }

  sooner(at: number): void {
    this.#running.sooner(at);
  }

  leave(part: CallPart): void {
    remove(this.#parts, part);
  }

  /** The first error counts. */
  abort(error: GatewayError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#controller?.abort(error);
    for (const part of [...this.#parts]) part.callEnded(error);
  }

  awaitOutput(withinMs: number | undefined): void {
    if (withinMs === undefined) {
      this.outputCame();
      return;
    }
    this.#silenceMs = withinMs;
    this.#silentAt = performance.now() + withinMs;
    this.sooner(this.#silentAt);
  }

  outputCame(): void {
    this.#silentAt = Number.POSITIVE_INFINITY;
  }

  close(): void {
    this.#client.removeEventListener("abort", this);
    this.#closed(this);
  }

  /** The client is gone. */
  handleEvent(): void {
    this.abort(GatewayError.from(this.#client.reason));
  }
}
