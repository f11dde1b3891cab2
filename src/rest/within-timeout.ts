import { deadlineExceeded } from "../errors/deadline-exceeded.ts";
import type { CallLog } from "../telemetry/call-log.ts";

/** Waits for work that nobody else bounds; fails with DEADLINE_EXCEEDED when the call has not that much time, in milliseconds. */
export function withinTimeout<T>(work: Promise<T>, timeoutMs: number | undefined, log: CallLog): Promise<T> {
  return timeoutMs === undefined ? work : race(work, timeoutMs, log);
}

async function race<T>(work: Promise<T>, timeoutMs: number, log: CallLog): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(deadlineExceeded(timeoutMs)), Math.max(0, timeoutMs - log.elapsedMs()));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
