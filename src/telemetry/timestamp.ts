/**
 * Makes the part of a log line that says when: `,"time":"2026-11-24T17:57:39.000Z"`. `now` is in milliseconds of the epoch. The
 * text of a millisecond is made once, because under load there are several lines in each.
 */
export function createTimestamp(now: () => number): () => string {
  let at = Number.NaN;
  let text = "";
  return () => {
    const time = now();
    if (time !== at) {
      at = time;
      text = `,"time":"${new Date(time).toISOString()}"`;
    }
    return text;
  };
}
