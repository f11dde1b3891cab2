import type { Store } from "../store/store.ts";

/** Tells who follows a run that it has changed. All of a process share one listener. */
export interface ChangeFeed {
  follow(uid: string): Follower;
  close(): void;
}

/** Somebody who follows a run. */
export interface Follower {
  /** Another number after each change that was heard of; no two runs, and no two times that one is followed, have the same. */
  readonly version: number;
  /** Resolves when the version is another, or after that many milliseconds. Rejects with the signal's reason. */
  changed(since: number, withinMs: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Opens the feed of a store. */
export function openChangeFeed(store: Store): ChangeFeed {
  const topics = new Map<string, Topic>();
  let versions = 0;
  const close = store.listen(
    "run_changed",
    (uid) => topics.get(uid)?.change(++versions),
    () => {
      for (const topic of topics.values()) topic.change(++versions);
    },
  );
  return {
    follow(uid) {
      const topic = topics.get(uid) ?? new Topic(++versions);
      topics.set(uid, topic);
      topic.followers += 1;
      return {
        get version() {
          return topic.version;
        },
        changed: (since, withinMs, signal) => topic.changed(since, withinMs, signal),
        close() {
          topic.followers -= 1;
          if (topic.followers === 0) topics.delete(uid);
        },
      };
    },
    close,
  };
}

class Topic {
  version: number;
  followers = 0;
  readonly #waiting = new Set<() => void>();

  constructor(version: number) {
    this.version = version;
  }

  change(version: number): void {
    this.version = version;
    for (const wake of [...this.#waiting]) wake();
  }

  changed(since: number, withinMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", aborted);
      };
      const wake = (): void => {
        end();
        resolve();
      };
      const aborted = (): void => {
        end();
        reject(signal.reason);
      };
      const timer = setTimeout(wake, withinMs);
      this.#waiting.add(wake);
      signal.addEventListener("abort", aborted);
      if (signal.aborted) aborted();
      else if (this.version !== since) wake();
    });
  }
}
