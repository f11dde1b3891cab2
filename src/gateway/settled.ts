import { GatewayError } from "../errors/gateway-error.ts";
import type { CallScope, OpenScope } from "./call-scope.ts";
import type { CallContext } from "./operation.ts";

/** Runs the work of a unary call within its scope. What it throws becomes a GatewayError, and the log knows of it. */
export async function settled<T>(
  call: CallContext,
  open: OpenScope,
  work: (scope: CallScope) => Promise<T> | T,
): Promise<T> {
  let scope: CallScope | undefined;
  try {
    scope = open(call);
    scope.throwIfEnded();
    return await work(scope);
  } catch (thrown) {
    throw failed(call, thrown);
  } finally {
    scope?.close();
  }
}

/** The same for a stream. A reader that leaves early ends the work, too; one that stops reading does not keep it from its end. */
export async function* streamSettled<T>(
  call: CallContext,
  open: OpenScope,
  work: (scope: CallScope) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  let scope: CallScope | undefined;
  try {
    scope = open(call);
    scope.throwIfEnded();
    const items = work(scope);
    endWithScope(items, scope);
    yield* items;
    scope.throwIfEnded();
  } catch (thrown) {
    throw failed(call, thrown);
  } finally {
    scope?.close();
  }
}

/**
 * Ends the work and closes the scope as soon as the scope is aborted, also while nobody asks for the next item: the work cannot
 * hear of it then, and would wait for its reader for ever.
 */
function endWithScope(items: AsyncGenerator, scope: CallScope): void {
  const close = (): void => scope.close();
  scope.join({ callEnded: () => void items.return(undefined).then(close, close) });
}

/** What a call fails with for something thrown; the log knows of it then. */
export function failed(call: CallContext, thrown: unknown): GatewayError {
  const error = GatewayError.from(thrown);
  call.log.failed(error);
  return error;
}
