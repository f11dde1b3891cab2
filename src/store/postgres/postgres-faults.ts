/**
 * Classes of SQLSTATE for a server that can't be used now, whatever is asked of it: lost connections (08), it is full (53), it is told
 * to stop or to start (57P), the user or the database is not there (28, 3D), it takes no writes (25006).
 */
const AWAY = /^(?:08|53|57P|28|3D000|25006)/;
/** A transaction that lost a race and may be tried again: serialization failure, deadlock. */
const LOST_RACE = /^(?:40001|40P01)$/;

/** Whether an error says that the database can't be reached or used, and nothing of what was asked of it. */
export function isAway(error: unknown): boolean {
  // Faults of ours, such as a parameter that can't be written.
  if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) return false;
  const state = stateOf(error);
  // What the server did not say comes from the way to it.
  return state === undefined || AWAY.test(state);
}

/** Whether a transaction that failed so may succeed when it is run again. */
export const isLostRace = (error: unknown): boolean => error instanceof Error && LOST_RACE.test(stateOf(error) ?? "");

/** Why a database can't be opened: what the server says, or the name of the system's error. Never an address. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return "it failed";
  if (stateOf(error) !== undefined) return error.message;
  return "code" in error && typeof error.code === "string" ? error.code : "no answer";
}

/** The SQLSTATE of an error of the server; it has five characters, and comes with a severity. */
function stateOf(error: Error): string | undefined {
  return "severity" in error && "code" in error ? String(error.code) : undefined;
}
