/** Owners whose limits have just refused a run: until those grant more, it is idle to try another run of theirs here. */
export interface LimitedOwners {
  /** No run of that owner is worth a try for so long. */
  add(owner: string, forMs: number): void;
  /** Whom it is idle to try now. */
  list(): string[];
}

/** Most of them; the next one's runs are tried, and refused. */
const MAX_OWNERS = 500;

/** Knows of none. */
export function createLimitedOwners(): LimitedOwners {
  const until = new Map<string, number>();
  return {
    add(owner, forMs) {
      if (until.size < MAX_OWNERS || until.has(owner)) until.set(owner, performance.now() + forMs);
    },
    list() {
      const now = performance.now();
      for (const [owner, end] of until) if (end <= now) until.delete(owner);
      return [...until.keys()];
    },
  };
}
