/** How a process has ended: its exit status, or the signal that killed it. */
export type Ended = number | NodeJS.Signals;

/** A worker has ended, and whatever was asked of it is not answered. */
export class WorkerEndedError extends Error {
  override readonly name = "WorkerEndedError";

  constructor(ended: Ended) {
    super(`a worker has ended ${typeof ended === "number" ? `with status ${ended}` : `by ${ended}`}`);
  }
}
