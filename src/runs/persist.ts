import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { sleep } from "../lib/sleep.ts";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** Does what needs the store, again and again while the store is away, until the signal is aborted. */
export async function persist<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await work();
    } catch (thrown) {
      if (!isAway(thrown) || signal.aborted) throw thrown;
      await sleep(pauseMs * (0.5 + Math.random() / 2), signal);
    }
  }
}

/** Whether something failed because the store is away. */
export const isAway = (thrown: unknown): boolean =>
  thrown instanceof GatewayError && thrown.reason === Reason.UNAVAILABLE;
