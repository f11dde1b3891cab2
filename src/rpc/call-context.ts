import { Code, ConnectError, createContextKey, createContextValues, type HandlerContext } from "@connectrpc/connect";
import { clientGone } from "../errors/client-gone.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { CallContext } from "../gateway/operation.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { CallLog } from "../telemetry/call-log.ts";

/** One rpc on its way through Connect. */
export interface RpcCall {
  readonly log: CallLog;
  /** Whether the request was read and its operation called. What Connect refuses before that is the client's fault. */
  hasBegun: boolean;
  /** Told of the signal that ends the call, before the request is read. */
  opened(signal: AbortSignal): void;
}

const callKey = createContextKey<RpcCall>(
  { log: new CallLog("", "connect"), hasBegun: false, opened: () => undefined },
  { description: "the call" },
);

/** Context values that carry a call into its rpc. */
export const withCall = (call: RpcCall) => createContextValues().set(callKey, call);

/** The call that an rpc serves. */
export const callOf = (context: Pick<HandlerContext, "values">): RpcCall => context.values.get(callKey);

/** What an operation knows of a call that came in as an rpc, and how to let go of it. */
export function openCallContext(context: HandlerContext): { readonly call: CallContext; close(): void } {
  const rpc = callOf(context);
  const { log } = rpc;
  rpc.hasBegun = true;
  const client = new AbortController();
  const abort = (): void => client.abort(reasonOf(context.signal));
  context.signal.addEventListener("abort", abort);
  if (context.signal.aborted) abort();
  const left = context.timeoutMs();
  return {
    call: { log, signal: client.signal, timeoutMs: left === undefined ? undefined : left + log.elapsedMs() },
    close: () => context.signal.removeEventListener("abort", abort),
  };
}

/** Connect aborts with an error of its own at the deadline, and in several ways when the client goes away. */
function reasonOf(signal: AbortSignal): GatewayError {
  const { reason } = signal;
  if (reason instanceof ConnectError && reason.code === Code.DeadlineExceeded) {
    return new GatewayError(Reason.DEADLINE_EXCEEDED, "the call did not end within the deadline that its client gave");
  }
  return clientGone();
}
