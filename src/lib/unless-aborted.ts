/** Waits for work that can't be stopped, or rejects with the signal's reason as soon as it is aborted. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason);
    if (signal.aborted) aborted();
    signal.addEventListener("abort", aborted, { once: true });
    const stopListening = (): void => signal.removeEventListener("abort", aborted);
    work.finally(stopListening).then(resolve, reject);
  });
}
