/** Batches that a test hands out one by one, and what became of their iteration. */
export interface BatchSource<T> extends AsyncIterable<readonly T[]> {
  /** How often a batch was asked for. */
  readonly pulls: number;
  /** How often the iteration was told to stop. */
  readonly returns: number;
  push(...batch: T[]): void;
  end(): void;
  fail(error: unknown): void;
}

/** Makes a source. As iterators may, it ends a waiting `next()` when it is told to stop. */
export function createSource<T>(): BatchSource<T> {
  const ready: (() => Promise<IteratorResult<readonly T[], undefined>>)[] = [];
  let wake: (() => void) | undefined;
  let pulls = 0;
  let returns = 0;
  const add = (step: () => Promise<IteratorResult<readonly T[], undefined>>): void => {
    ready.push(step);
    wake?.();
  };
  return {
    get pulls() {
      return pulls;
    },
    get returns() {
      return returns;
    },
    push: (...batch) => add(async () => ({ done: false, value: batch })),
    end: () => add(async () => ({ done: true, value: undefined })),
    fail: (error) => add(() => Promise.reject(error)),
    [Symbol.asyncIterator]: () => ({
      async next() {
        pulls += 1;
        while (ready.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        return ready.shift()!();
      },
      async return() {
        returns += 1;
        add(async () => ({ done: true, value: undefined }));
        return { done: true, value: undefined };
      },
    }),
  };
}
