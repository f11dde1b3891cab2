/** Entries that are looked at for each new one. Two are enough: a table grows to twice of what is in use, and not more. */
const LOOKS = 2;

/**
 * Makes what keeps a table small without a timer: to be called for each new entry, it looks at a few of the old ones, one round
 * after the other, and forgets those that may be.
 */
export function createSweep<Key, Value>(
  table: Map<Key, Value>,
  mayForget: (value: Value, nowMs: number) => boolean,
): (nowMs: number) => void {
  let round = table.entries();
  return (nowMs) => {
    for (let look = 0; look < LOOKS; look++) {
      const next = round.next();
      if (next.done === true) {
        round = table.entries();
        return;
      }
      const [key, value] = next.value;
      if (mayForget(value, nowMs)) table.delete(key);
    }
  };
}
