import { GatewayError } from "../../errors/gateway-error.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import type { Step } from "../script.ts";
import type { Knobs } from "./knobs.ts";
import type { Fault } from "./models.ts";

/** How many tokens a stream has when it fails in its middle. */
export const TOKENS_BEFORE_FAULT = 3;

/** Time before fault-slow-start begins, and that fault-429 tells its caller to wait, in milliseconds. */
const SLOW_START_MS = 5_000;
const RETRY_AFTER_MS = 1_000;

/** How a fault shows: before any output, and in the middle of a stream; undefined: not there. */
interface FaultScript {
  readonly before?: (knobs: Knobs) => Step<never>;
  /** Of a stream, after its first tokens. "end" cuts it. Without a stream it comes at once. */
  readonly within?: Step<never> | "end";
}

const fail = (reason: Reason, message: string, retryAfterMs?: number, quota?: string): Step<never> => ({
  kind: "fail",
  error: new GatewayError(reason, message, { retryAfterMs, quota }),
});

/** Every fault and how it shows. */
export const FAULTS: Readonly<Record<Fault, FaultScript>> = {
  "401": {
    before: () => fail(Reason.UPSTREAM_AUTHENTICATION_FAILED, "the provider refused the gateway's credentials"),
  },
  "429": {
    before: ({ retry_after_ms: ms = RETRY_AFTER_MS }) =>
      fail(Reason.RATE_LIMIT_EXCEEDED, "the provider's rate limit is exceeded", ms, "provider:sandbox"),
  },
  "500": { before: () => fail(Reason.UPSTREAM_ERROR, "the provider failed") },
  "503": { before: () => fail(Reason.OVERLOADED, "the provider is overloaded", RETRY_AFTER_MS) },
  "bad-json": { within: fail(Reason.UPSTREAM_INVALID_RESPONSE, "the provider's answer is not JSON") },
  cut: { within: "end" },
  empty: { before: () => fail(Reason.UPSTREAM_INVALID_RESPONSE, "the provider's answer is empty") },
  "error-in-stream": { within: fail(Reason.OVERLOADED, "the provider became overloaded", RETRY_AFTER_MS) },
  "slow-start": { before: ({ start_delay_ms: ms = SLOW_START_MS }) => ({ kind: "wait", ms }) },
  stall: { within: { kind: "wait", ms: Number.POSITIVE_INFINITY } },
};
