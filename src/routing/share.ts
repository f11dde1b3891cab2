/** The time that one target gets of what a call has left. */

/** How long a target may usually be silent, in milliseconds: before the first output of a stream, and before a whole answer. */
export const USUAL_SILENCE_MS = { stream: 10_000, whole: 60_000 } as const;

/**
 * A target's share of the time that is left while there are so many others to ask: an equal one, or the usual silence where that is longer
 * and takes no more than half. So many targets do not make each of them too short. Milliseconds.
 */
export function shareOf(leftMs: number, others: number, kind: keyof typeof USUAL_SILENCE_MS): number {
  return Math.max(leftMs / (others + 1), Math.min(leftMs / 2, USUAL_SILENCE_MS[kind]));
}
