/** The keys of a provider, by their numbers from 0, and until when each is to be left alone. Times are Unix milliseconds. */
export interface KeyRing {
  /** How many there are; 1 where the provider has no key at all. */
  readonly size: number;
  /** Until when a key is to be left alone; 0: it is not. */
  restsUntil(key: number): number;
  /** Lets a key rest until then, or longer where that was said before. */
  rest(key: number, until: number): void;
}

/** Makes a ring of that many keys; what rests beneath rests here, too. */
export function createKeyRing(size: number, beneath?: KeyRing): KeyRing {
  const rests = new Array<number>(Math.max(1, size)).fill(0);
  return {
    size: rests.length,
    restsUntil: (key) => Math.max(rests[key] as number, beneath?.restsUntil(key) ?? 0),
    rest(key, until) {
      rests[key] = Math.max(rests[key] as number, until);
    },
  };
}

/** The first key that does not rest, and else the one that rests for the shortest time. */
export function pickKey(ring: KeyRing, now: number): number {
  let best = 0;
  for (let key = 0; key < ring.size; key++) {
    const until = ring.restsUntil(key);
    if (until <= now) return key;
    if (until < ring.restsUntil(best)) best = key;
  }
  return best;
}

/** When a key is there that does not rest: 0 for now. */
export function keysReadyAt(ring: KeyRing, now: number): number {
  let soonest = Number.POSITIVE_INFINITY;
  for (let key = 0; key < ring.size; key++) {
    const until = ring.restsUntil(key);
    if (until <= now) return 0;
    soonest = Math.min(soonest, until);
  }
  return soonest;
}
