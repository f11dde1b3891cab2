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

/** The first key that does not rest, and is none of the refused ones; undefined: there is none. */
export function freshKey(ring: KeyRing, now: number, refused?: ReadonlySet<number>): number | undefined {
  for (let key = 0; key < ring.size; key++) {
    if (ring.restsUntil(key) <= now && refused?.has(key) !== true) return key;
  }
  return undefined;
}

/** A fresh key; or else one that was refused; or else the one that rests for the shortest time. */
export const pickKey = (ring: KeyRing, now: number, refused?: ReadonlySet<number>): number =>
  freshKey(ring, now, refused) ?? freshKey(ring, now) ?? soonestKey(ring);

/** When a key is there that does not rest: 0 for now. */
export const keysReadyAt = (ring: KeyRing, now: number): number =>
  freshKey(ring, now) === undefined ? ring.restsUntil(soonestKey(ring)) : 0;

/** The first of the keys that rest for the shortest time. */
function soonestKey(ring: KeyRing): number {
  let soonest = 0;
  for (let key = 1; key < ring.size; key++) if (ring.restsUntil(key) < ring.restsUntil(soonest)) soonest = key;
  return soonest;
}
