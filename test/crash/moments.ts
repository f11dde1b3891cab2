/** Moments that the killer waits for. */
export interface Moments {
  /** Tells that such a moment is now at a replica. */
  happen(kind: "request" | "event", replica: string): void;
  /** Resolves at the next such moment, or when it has waited for so long. */
  next(kind: "request" | "event", replica: string, mostMs: number): Promise<void>;
}

/** Makes them. */
export function createMoments(): Moments {
  const waiting = new Map<string, (() => void)[]>();
  return {
    happen(kind, replica) {
      const name = `${kind} ${replica}`;
      const heard = waiting.get(name) ?? [];
      waiting.delete(name);
      for (const hear of heard) hear();
    },
    next: (kind, replica, mostMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, mostMs);
        const name = `${kind} ${replica}`;
        const hear = (): void => {
          clearTimeout(timer);
          resolve();
        };
        waiting.set(name, [...(waiting.get(name) ?? []), hear]);
      }),
  };
}
