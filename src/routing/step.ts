/**
 * What a call does next: a pure function of what it has tried and of what is known of its targets now. The gateway does what it says.
 */

/** A target on the way of a call, as it is now. Times are Unix milliseconds. */
export interface Stop {
  /** How often the call has asked it. */
  readonly tries: number;
  /** Whether it will not be asked again: it can't take this call, or has failed for good. */
  readonly isOut: boolean;
  /** Whether it is to be asked again at once, before any other. */
  readonly isNext: boolean;
  /** From when on the call may ask it again; 0 for now. */
  readonly notBefore: number;
  /** From when on its breaker lets a call go; 0 for now, Infinity while another call tries it. */
  readonly breakerReadyAt: number;
  /** When one of its keys is there that does not rest; 0 for now. */
  readonly keysReadyAt: number;
  /** Whether there is a place for a call, and whether a call could wait for one. */
  readonly hasPlace: boolean;
  readonly hasRoom: boolean;
  /** Whether there is a retry left in its budget. */
  readonly hasRetry: boolean;
}

/** What bounds a call. */
export interface StepLimits {
  /** How often it may ask one target again. */
  readonly maxRetries: number;
  /** How long it may still wait for targets, in milliseconds. */
  readonly waitLeftMs: number;
  /** How long it may still run, in milliseconds. */
  readonly leftMs: number;
}

/** The next step. */
export type Step =
  /** Ask the target of that number. */
  | { readonly kind: "ask"; readonly at: number }
  /** Wait that many milliseconds, and look again. */
  | { readonly kind: "wait"; readonly ms: number }
  /** No target is left that may be asked in time. */
  | {
      readonly kind: "give_up";
      /** After how many milliseconds a target may be there again; undefined: waiting does not help. */
      readonly retryAfterMs: number | undefined;
      /** Whether places are what is missing. */
      readonly isFull: boolean;
    };

/** How often a target is looked at that another call tries, in milliseconds. */
const LOOK_AGAIN_MS = 100;
/** When a caller should come again who finds all places and queues full, in milliseconds. */
const FULL_RETRY_MS = 1_000;

/**
 * Chooses the next step of a call. `stops` are in the order in which they are asked: first the one that is to be asked again at once; then
 * each once; then again those that failed in a way that may pass, each after its while. A target that wants to be left alone is waited
 * for, as long as there is time to; one whose keys all rest is asked all the same when nobody else is there.
 */
export function nextStep(count: number, stopAt: (at: number) => Stop, now: number, limits: StepLimits): Step {
  let soonest = Number.POSITIVE_INFINITY;
  let resting: number | undefined;
  let crowded: number | undefined;
  let isFull = false;
  let again: number | undefined;
  for (let at = 0; at < count; at++) {
    const stop = stopAt(at);
    if (!mayBeAsked(stop, limits)) continue;
    const { tries, isNext, notBefore, breakerReadyAt, keysReadyAt, hasPlace, hasRoom } = stop;
    const readyAt = Math.max(
      notBefore,
      breakerReadyAt === Number.POSITIVE_INFINITY ? now + LOOK_AGAIN_MS : breakerReadyAt,
    );
    if (readyAt <= now && keysReadyAt <= now && hasPlace) {
      if (tries === 0 || isNext) return { kind: "ask", at };
      again ??= at;
      continue;
    }
    if (!hasPlace) {
      // It has no place now; whoever is well and has room can be waited for in its queue.
      if (readyAt <= now && hasRoom) crowded ??= at;
      isFull = true;
      if (!hasRoom) continue;
    }
    if (readyAt <= now && keysReadyAt > now && hasPlace) resting ??= at;
    soonest = Math.min(soonest, Math.max(readyAt, keysReadyAt));
  }
  if (again !== undefined) return { kind: "ask", at: again };
  if (crowded !== undefined) return { kind: "ask", at: crowded };
  const ms = soonest - now;
  if (ms <= limits.waitLeftMs && ms < limits.leftMs) return { kind: "wait", ms: Math.max(1, ms) };
  if (resting !== undefined) return { kind: "ask", at: resting };
  if (Number.isFinite(soonest)) return { kind: "give_up", retryAfterMs: Math.max(0, ms), isFull };
  return { kind: "give_up", retryAfterMs: isFull ? FULL_RETRY_MS : undefined, isFull };
}

const mayBeAsked = ({ tries, isOut, hasRetry }: Stop, { maxRetries }: StepLimits): boolean =>
  !isOut && (tries === 0 || (tries <= maxRetries && hasRetry));
