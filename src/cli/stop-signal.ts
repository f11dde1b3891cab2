/** Signals that end the server in an orderly way: service managers send the first, Ctrl-C the second. */
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Exit status after a second signal: 128 and the number of SIGINT, as shells have it. */
const INTERRUPTED = 130;

/**
 * One Ctrl-C under `npm start` can arrive twice, from the terminal and passed on by npm: 60 ms apart with bash as npm's shell. What
 * follows within this time, in milliseconds, is the same keystroke.
 */
const SAME_KEYSTROKE_MS = 500;

/** Resolves at the first SIGTERM or SIGINT. A second one, half a second later or after that, ends the process at once. */
export function awaitStopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const onSignal = (): void => {
      if (firstAt === undefined) {
        firstAt = performance.now();
        resolve();
      } else if (performance.now() - firstAt >= SAME_KEYSTROKE_MS) {
        process.exit(INTERRUPTED);
      }
    };
    for (const signal of SIGNALS) process.on(signal, onSignal);
  });
}
