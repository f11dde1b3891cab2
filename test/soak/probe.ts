/** Goes into the gateway's process before its program, and answers what the soak asks of it. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { answerQuestions } from "../bench/child-side.ts";
import { type Lag, watchLag } from "./lag.ts";

/** How it stands with the process. */
export interface ProbeSample {
  /** After a collection of garbage, in bytes. */
  readonly heapUsed: number;
  /** In bytes. */
  readonly rss: number;
  /** What keeps the process running, by type. */
  readonly resources: Readonly<Record<string, number>>;
  /** Listeners on `process`. */
  readonly listeners: number;
  /** How late timers were since the first sample, but for the collections of garbage that samples are taken after; in milliseconds. */
  readonly delayP99: number;
  readonly delayMax: number;
  /** When it was late, since the last sample. */
  readonly lags: readonly Lag[];
}

const lag = watchLag();
const delay = monitorEventLoopDelay({ resolution: 10 });

answerQuestions((): ProbeSample => {
  delay.disable();
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const type of process.getActiveResourcesInfo()) resources[type] = (resources[type] ?? 0) + 1;
  const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
  // The time of a timer that is as late as it should be is the resolution.
  const sample = { delayP99: delay.percentile(99) / 1e6 - 10, delayMax: delay.max / 1e6 - 10 };
  delay.enable();
  return { heapUsed, rss, resources, listeners, ...sample, lags: lag.take() };
});
