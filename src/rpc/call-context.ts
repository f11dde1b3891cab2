import { Code, ConnectError, createContextKey, createContextValues, type HandlerContext } from "@connectrpc/connect";
import { clientGone } from "../errors/client-gone.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { CallContext } from "../gateway/operation.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { CallLog } from "../telemetry/call-log.ts";

/** Where the server puts the log of the call. */
const callLogKey = createContextKey<CallLog>(new CallLog("", "connect"), { description: "log of the call" });

/** Context values that carry the log of a call into its rpc. */
export const withCallLog = (log: CallLog) => createContextValues().set(callLogKey, log);

/** Log of the call that an rpc serves. */
export const callLogOf = (context: Pick<HandlerContext, "values">): CallLog => context.values.get(callLogKey);

/** What an operation knows of a call that came in as an rpc, and how to let go of it. */
export function openCallContext(context: HandlerContext): { readonly call: CallContext; close(): void } {
  const log = callLogOf(context);
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
