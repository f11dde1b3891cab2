import { Code, ConnectError, createContextKey, createContextValues, type HandlerContext } from "@connectrpc/connect";
import { parseTimeout as parseConnectTimeout } from "@connectrpc/connect/protocol-connect";
import { parseTimeout as parseGrpcTimeout } from "@connectrpc/connect/protocol-grpc";
import { type Caller, OPEN_CALLER } from "../admission/caller.ts";
import { standingHeaders } from "../admission/limits/standing-headers.ts";
import { clientGone } from "../errors/client-gone.ts";
import { deadlineExceeded } from "../errors/deadline-exceeded.ts";
import type { GatewayError } from "../errors/gateway-error.ts";
import type { CallContext } from "../gateway/operation.ts";
import { CallLog } from "../telemetry/call-log.ts";

/** One rpc on its way through Connect. */
export interface RpcCall {
  readonly log: CallLog;
  /** Who calls; set before the request is read. */
  caller: Caller;
  /** Whether the request was read and its operation called. What Connect refuses before that is the client's fault. */
  hasBegun: boolean;
  /** Told of the signal that ends the call, before the request is read. Rejects where the call is not let in. */
  opened(signal: AbortSignal): void | Promise<void>;
}

const callKey = createContextKey<RpcCall>(
  { log: new CallLog("", "connect"), caller: OPEN_CALLER, hasBegun: false, opened: () => undefined },
  { description: "the call" },
);

/** Context values that carry a call into its rpc. */
export const withCall = (call: RpcCall) => createContextValues().set(callKey, call);

/** The call that an rpc serves. */
export const callOf = (context: Pick<HandlerContext, "values">): RpcCall => context.values.get(callKey);

/** What an operation knows of a call that came in as an rpc, and how to let go of it. */
export function openCallContext(context: HandlerContext): { readonly call: CallContext; close(): void } {
  const rpc = callOf(context);
  const { log, caller } = rpc;
  rpc.hasBegun = true;
  const timeoutMs = givenTimeout(context);
  const client = new AbortController();
  const abort = (): void => client.abort(reasonOf(context.signal, timeoutMs));
  context.signal.addEventListener("abort", abort);
  if (context.signal.aborted) abort();
  return {
    call: {
      caller,
      log,
      signal: client.signal,
      timeoutMs,
      tellStanding(standing) {
        for (const [name, value] of Object.entries(standingHeaders(standing))) context.responseHeader.set(name, value);
      },
    },
    close: () => context.signal.removeEventListener("abort", abort),
  };
}

/** The timeout that the client gave; Connect itself tells only what is left of it. */
function givenTimeout({ protocolName, requestHeader }: HandlerContext): number | undefined {
  const [parse, name] =
    protocolName === "connect" ? [parseConnectTimeout, "connect-timeout-ms"] : [parseGrpcTimeout, "grpc-timeout"];
  return parse(requestHeader.get(name), Number.POSITIVE_INFINITY).timeoutMs;
}

/** Connect aborts with an error of its own at the deadline, and in several ways when the client goes away. */
function reasonOf({ reason }: AbortSignal, timeoutMs = 0): GatewayError {
  const isDeadline = reason instanceof ConnectError && reason.code === Code.DeadlineExceeded;
  return isDeadline ? deadlineExceeded(timeoutMs) : clientGone();
}
