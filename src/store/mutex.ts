/** Lets one in at a time, in the order in which they came. */
export interface Mutex {
  lock(): Promise<void>;
  unlock(): void;
}

/** Makes one that is free. */
export function createMutex(): Mutex {
  const waiting: (() => void)[] = [];
  let isLocked = false;
  return {
    lock() {
      if (!isLocked) {
        isLocked = true;
        return Promise.resolve();
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    unlock() {
      const next = waiting.shift();
      // It stays locked for the next one: who comes meanwhile can't get ahead.
      if (next === undefined) isLocked = false;
      else next();
    },
  };
}
