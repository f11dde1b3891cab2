/** What the bench asks a process that it measures, from within. */
import { writeFile } from "node:fs/promises";
import { Session } from "node:inspector/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";

/** A question. A profile is written to `file`, for the time from its beginning to its end. */
export type ProbeQuestion =
  | { readonly what: "begin delay" | "end delay" | "collect garbage" | "begin profile" }
  | { readonly what: "end profile"; readonly file: string };

/** How late the event loop was, in ms, from "begin delay" to "end delay". */
export interface LoopDelay {
  readonly p99: number;
  readonly longest: number;
}

const RESOLUTION_MS = 1;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
const session = new Session();

/** Answers a question. Only the end of a measurement of the delay has an answer, a `LoopDelay`. */
export async function answerProbe(question: ProbeQuestion): Promise<unknown> {
  switch (question.what) {
    case "begin delay":
      delay.reset();
      delay.enable();
      return undefined;
    case "end delay":
      delay.disable();
      return { p99: lateMs(delay.percentile(99)), longest: lateMs(delay.max) } satisfies LoopDelay;
    case "collect garbage":
      session.connect();
      await session.post("HeapProfiler.collectGarbage");
      session.disconnect();
      return undefined;
    case "begin profile":
      session.connect();
      await session.post("Profiler.enable");
      await session.post("Profiler.start");
      return undefined;
    case "end profile": {
      const { profile } = await session.post("Profiler.stop");
      session.disconnect();
      await writeFile(question.file, JSON.stringify(profile));
      return undefined;
    }
  }
}

/** The time between two ticks of a timer that is not late is the resolution. */
const lateMs = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS);
