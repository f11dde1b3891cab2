import type { Limiter } from "../admission/limits/limiter.ts";
import { tellStanding } from "./meter.ts";
import type { CallContext, Operations } from "./operation.ts";

/** The operations that take nothing of their callers' limits. */
export type FreeOperations = Omit<Operations, "createChatCompletion" | "streamChatCompletion">;

type Unary = (request: never, call: CallContext) => Promise<unknown>;
type Stream = (request: never, call: CallContext) => AsyncIterable<unknown>;

/** Has callers told with each of these, too, how it stands with their limits. */
export function tellingStanding({ watchRun, ...unary }: FreeOperations, limiter: Limiter): FreeOperations {
  const told = Object.entries(unary).map(([name, operation]) => [name, tellFirst(operation as Unary, limiter)]);
  return { ...Object.fromEntries(told), watchRun: tellFirstOfStream(watchRun, limiter) } as FreeOperations;
}

function tellFirst(operation: Unary, limiter: Limiter): Unary {
  return async (request, call) => {
    await tellStanding(limiter, call);
    return operation(request, call);
  };
}

function tellFirstOfStream(operation: Stream, limiter: Limiter): Stream {
  return async function* (request, call) {
    await tellStanding(limiter, call);
    yield* operation(request, call);
  };
}
