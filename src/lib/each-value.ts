import { stopQuietly } from "./stop-quietly.ts";
import { takeValue } from "./take-value.ts";

/** Does something with each value, as `for await` would, but so that nothing of it is kept: see `takeValue`. A promise is waited for. */
export async function eachValue<T>(
  values: AsyncIterable<T>,
  use: (value: T) => Promise<void> | undefined,
): Promise<void> {
  const iterator = values[Symbol.asyncIterator]();
  for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) {
    try {
      const pending = use(takeValue(step));
      if (pending !== undefined) await pending;
    } catch (thrown) {
      await stopQuietly(iterator);
      throw thrown;
    }
  }
}
