/** A day or a month of UTC, for which a budget lasts. */
export interface Period {
  /** "2026-01-31", or "2026-01". */
  readonly id: string;
  /** When it ends, in Unix milliseconds. */
  readonly endMs: number;
}

/** The day and the month of a time. */
export interface Periods {
  readonly day: Period;
  readonly month: Period;
}

const DAY_MS = 86_400_000;

let latest: (Periods & { readonly beginMs: number }) | undefined;

/** The day and the month of a time, in Unix milliseconds. */
export function periodsAt(wallMs: number): Periods {
  // Nearly every call asks for today.
  if (latest !== undefined && wallMs >= latest.beginMs && wallMs < latest.day.endMs) return latest;
  const beginMs = Math.floor(wallMs / DAY_MS) * DAY_MS;
  const date = new Date(beginMs);
  const day = date.toISOString().slice(0, "2026-01-31".length);
  latest = {
    beginMs,
    day: { id: day, endMs: beginMs + DAY_MS },
    month: { id: day.slice(0, "2026-01".length), endMs: Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1) },
  };
  return latest;
}
