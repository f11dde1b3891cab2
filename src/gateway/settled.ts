import { GatewayError } from "../errors/gateway-error.ts";
import type { CallScope } from "./call-scope.ts";
import type { CallContext } from "./operation.ts";

/** Opens the scope of a call. */
export type OpenScope = (call: CallContext) => CallScope;

/** Runs the work of a unary call within its scope. What it throws becomes a GatewayError, and the log knows of it. */
export async function settled<T>(
  call: CallContext,
  open: OpenScope,
  work: (scope: CallScope) => Promise<T> | T,
): Promise<T> {
  let scope: CallScope | undefined;
  try {
    scope = open(call);
    scope.signal.throwIfAborted();
    return await work(scope);
  } catch (thrown) {
    throw failed(call, thrown);
  } finally {
    scope?.close();
  }
}

/** The same for a stream. A reader that leaves early ends the work, too. */
export async function* streamSettled<T>(
  call: CallContext,
  open: OpenScope,
  work: (scope: CallScope) => AsyncIterable<T>,
): AsyncGenerator<T> {
  let scope: CallScope | undefined;
  try {
    scope = open(call);
    scope.signal.throwIfAborted();
    yield* work(scope);
  } catch (thrown) {
    throw failed(call, thrown);
  } finally {
    scope?.close();
  }
}

function failed(call: CallContext, thrown: unknown): GatewayError {
  const error = GatewayError.from(thrown);
  call.log.failed(error);
  return error;
}
