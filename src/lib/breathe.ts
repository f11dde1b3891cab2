/** From how many bytes or characters on the work on a text is long enough to hold others up: a megabyte takes a millisecond or two. */
const LARGE = 1024 * 1024;

/** Whether the work on a text of that length should be done in several turns. */
export const isLarge = (length: number): boolean => length >= LARGE;

/** Lets others have a turn between two steps of long work, so that streams that run beside it are held up by one step, and not by all. */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
