import { deadlineExceeded } from "../errors/deadline-exceeded.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { type Due, DueList } from "../lib/due-list.ts";
import type { CallContext } from "./operation.ts";
import { silent } from "./silent.ts";

/** A part of a call that has to hear of it at once when the call ends early. */
export interface CallPart {
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
  /** Tells parts of the call when their own times are over. */
  readonly times: DueList;
  /** Throws what ended the call, if anything did. */
  throwIfEnded(): void;
  /** How many milliseconds are left of the call's time. */
  leftMs(): number;
  /** Tells a part when the call ends early, until it leaves. */
  join(part: CallPart): void;
  leave(part: CallPart): void;
  /** From now on the gateway waits for the model, which has that many milliseconds for its next output. Undefined: no bound. */
  awaitOutput(withinMs: number | undefined): void;
  /** Output came, or the model has ended: the gateway does not wait for it now. */
  outputCame(): void;
  /** The call is over: nothing ends it any more. */
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
  const times = new DueList();
  let refusing = false;
  let waiting: (() => void)[] = [];
  const closed = (scope: Scope): void => {
    times.delete(scope);
    if (!running.delete(scope) || running.size > 0) return;
    for (const resolve of waiting.splice(0)) resolve();
  };
  return {
    get size() {
      return running.size;
    },
    open(call, defaultTimeoutMs) {
      if (refusing) throw new GatewayError(Reason.SHUTTING_DOWN, "the server is going down", { retryAfterMs: 1000 });
      const scope = new Scope(call, defaultTimeoutMs, times, closed);
      running.add(scope);
      times.add(scope);
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

class Scope implements CallScope, Due {
  readonly times: DueList;
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

  constructor(call: CallContext, defaultTimeoutMs: number, times: DueList, closed: (scope: Scope) => void) {
    this.times = times;
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
    return this.#ended === undefined ? Math.min(this.#endsAt, this.#silentAt) : Number.POSITIVE_INFINITY;
  }

  due(): void {
    this.#fellSilent = this.#silentAt < this.#endsAt;
    this.abort(this.#fellSilent ? silent(this.#silenceMs) : deadlineExceeded(this.#timeoutMs));
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

  leave(part: CallPart): void {
    const at = this.#parts.indexOf(part);
    if (at >= 0) this.#parts.splice(at, 1);
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
    this.times.sooner(this);
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
