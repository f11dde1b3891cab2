import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "../../src/providers/sandbox/random.ts";
import { DOORS, type DoorClient, openDoor } from "../support/doors.ts";
import { openTyped } from "../support/typed-doors.ts";
import { startStage } from "./actors.ts";
import { type CallOutcome, makeCall, planCall, requestIdOf } from "./calls.ts";
import { firstConfig, TOTAL_MS } from "./configs.ts";
import type { Deed } from "./deeds.ts";
import { type GatewayProcess, type LogLine, startGatewayProcess } from "./gateway-process.ts";
import { judge, WATCH_MS } from "./judge.ts";
import { type Lag, lagWithin, watchLag } from "./lag.ts";
import { createLedger } from "./ledger.ts";
import { type Metric, ping, readMetrics, sumBy, totalOf } from "./metrics.ts";
import type { ProbeSample } from "./probe.ts";
import { askQuestion } from "./questions.ts";
import { createReloader } from "./reloader.ts";
import { createTargetWatch } from "./target-watch.ts";

/** How a soak is done. */
export interface SoakOptions {
  /** How long calls are made, in milliseconds. */
  readonly ms: number;
  /** What the calls, the faults and the files are drawn by. */
  readonly seed: string;
  /** Is told how it goes, from time to time. */
  readonly onProgress?: (words: string) => void;
}

/** A sample of the gateway's process, and when it was taken: milliseconds since the first call. */
export type TimedSample = ProbeSample & { readonly at: number };

/** What came of a soak. */
export interface SoakResult {
  /** What should never be; empty where all is well. */
  readonly violations: readonly string[];
  readonly calls: readonly {
    readonly door: DoorClient["name"];
    readonly streaming: boolean;
    readonly outcome: string;
  }[];
  /** Questions whom a call would ask, and for lists of models. */
  readonly questions: number;
  readonly deeds: ReadonlyMap<Deed, number>;
  /** Of the gateway's metrics: attempts by what came of them, and by what was done then. */
  readonly attempts: ReadonlyMap<string, number>;
  readonly moves: ReadonlyMap<string, number>;
  /** Requests to upstreams that began while another one of the same call was under way. */
  readonly hedges: number;
  readonly openings: number;
  readonly reloads: { readonly ok: number; readonly refused: number };
  readonly unexplained: number;
  readonly before: TimedSample;
  /** While calls were made. */
  readonly samples: readonly TimedSample[];
  readonly after: TimedSample;
}

/** Fewest and most calls at once; which of it changes every few seconds. */
const AT_ONCE = { least: 20, most: 50 };
/** How often the process is looked at; more often in a short soak. */
const SAMPLE_MS = 10_000;
/** How often the gateway is asked for nothing, to see how long that takes. */
const PING_MS = 100;
/** For what is over to be gone. */
const SETTLE_MS = 20_000;

/** Makes calls of a gateway, whose upstreams fail, whose clients go away and whose configuration changes; and looks at all that comes of it. */
export async function soak({ ms, seed, onProgress = () => undefined }: SoakOptions): Promise<SoakResult> {
  const ledger = createLedger();
  const stage = await startStage(seed, ms, ledger);
  const targets = createTargetWatch();
  const config = firstConfig(stage);
  const reloader = createReloader(stage, () => gateway, config);
  const lines = new Map<string, LogLine[]>();
  const violations: string[] = [];
  const hear = (line: LogLine): void => {
    reloader.hear(line);
    const { requestId, level } = line;
    if (level === "error" && line["msg"] !== "reload refused") violations.push(`a fault in the log: ${line["msg"]}`);
    if (typeof requestId !== "string") return;
    lines.set(requestId, [...(lines.get(requestId) ?? []), line]);
  };
  const linesOf = (call: number): readonly LogLine[] => lines.get(requestIdOf(call)) ?? [];
  let gateway: GatewayProcess;
  try {
    gateway = await startGatewayProcess(config.file, hear);
  } catch (error) {
    await stage.close();
    throw error;
  }
  const doors = new Map(DOORS.map((name) => [name, openDoor(name, gateway.url)]));
  const typed = openTyped("connect", gateway.url);
  const lag = watchLag();
  const lags: Lag[] = [];
  const pings: Lag[] = [];
  try {
    // Asked once before, because the first question has the code for metrics loaded.
    await readMetrics(gateway.url);
    // And the first look into the log of requests opens the database, with a thread of its own.
    await fetch(`${gateway.url}/v1/admin/requests`);
    await sleep(1_000);
    const startedAt = performance.now();
    const sample = async (): Promise<TimedSample> => {
      const taken = await gateway.sample();
      lags.push(...taken.lags, ...lag.take());
      return { ...taken, at: performance.now() - startedAt };
    };
    const before = await sample();
    const samples: TimedSample[] = [];
    const outcomes: CallOutcome[] = [];
    const load = new AbortController();
    const over = load.signal;
    let number = 0;
    let questions = 0;

    const waves = createRandom(`${seed} waves`);
    let atOnce = AT_ONCE.least;
    const caller = async (place: number): Promise<void> => {
      while (!over.aborted) {
        if (place >= atOnce) {
          await sleep(100);
          continue;
        }
        number += 1;
        const plan = planCall(seed, number);
        outcomes.push(await makeCall(doors.get(plan.door) as DoorClient, plan));
      }
    };
    const every = async (eachMs: number, work: () => Promise<void>): Promise<void> => {
      while (!over.aborted) {
        await work();
        await sleep(eachMs, undefined, { signal: over }).catch(() => undefined);
      }
    };
    const asker = createRandom(`${seed} questions`);
    const configsNow = () => reloader.reigns.filter(({ to }) => to > performance.now() - 1_000).map((it) => it.config);
    const work = [
      ...Array.from({ length: AT_ONCE.most }, (_, place) => caller(place)),
      reloader.run(createRandom(`${seed} reloads`), over),
      every(3_000, async () => {
        atOnce = AT_ONCE.least + waves.int(AT_ONCE.most - AT_ONCE.least + 1);
      }),
      every(PING_MS, async () => {
        const from = performance.now();
        await ping(gateway.url);
        pings.push({ at: Date.now(), ms: performance.now() - from });
      }),
      every(WATCH_MS, async () => targets.note(await readMetrics(gateway.url))),
      every(Math.min(SAMPLE_MS, ms / 6), async () => {
        samples.push(await sample());
        const now = samples.at(-1) as TimedSample;
        const seconds = Math.round(now.at / 1000);
        onProgress(`${seconds} s: ${outcomes.length} calls, heap ${(now.heapUsed / 2 ** 20).toFixed(1)} MB`);
      }),
      every(1_000, async () => {
        questions += 1;
        const fault = await askQuestion(typed, asker, configsNow);
        if (fault !== undefined) violations.push(fault);
      }),
    ];
    const timer = setTimeout(() => load.abort(), ms);
    await Promise.all(work).finally(() => {
      clearTimeout(timer);
      load.abort();
    });

    await reloader.give(config);
    const metrics = await settled(gateway, violations);
    for (const door of doors.values()) door.close();
    typed.close();
    await stage.close();
    const after = await drained(sample, before, violations);
    const evidence = {
      ledger,
      targets,
      reigns: reloader.reigns,
      loggedReason: (call: number) => linesOf(call)[0]?.["reason"] as string | undefined,
      lagWithin: (from: number, to: number) => lagWithin({ lags, questions: pings }, from, to),
    };
    const status = await gateway.terminate();
    if (status !== 0) violations.push(`SIGTERM ended the gateway with ${status}: ${gateway.complaints}`);

    let unexplained = 0;
    const calls = outcomes.map((outcome) => {
      const { plan } = outcome;
      const verdict = judge(outcome, evidence);
      if (verdict.unexplained !== undefined) {
        unexplained += 1;
        violations.push(`call ${plan.number}, ${describe(outcome, linesOf(plan.number))}: ${verdict.unexplained}`);
      }
      const count = linesOf(plan.number).length;
      // Who goes away at once may not have been there for the gateway.
      if (count > 1 || (count === 0 && verdict.outcome !== "cancelled")) {
        violations.push(`call ${plan.number} has ${count} lines in the log`);
      }
      return { door: plan.door, streaming: plan.streaming, outcome: verdict.outcome };
    });
    violations.push(...reloader.faults);
    const deeds = new Map<Deed, number>();
    for (const { deed } of ledger.records) deeds.set(deed, (deeds.get(deed) ?? 0) + 1);
    return {
      violations,
      calls,
      questions,
      deeds,
      attempts: sumBy(metrics, "parley_attempts_total", "parley_attempt_outcome"),
      moves: sumBy(metrics, "parley_attempts_total", "parley_attempt_move"),
      hedges: countHedges(outcomes, ledger),
      openings: targets.openings,
      reloads: reloader.counts,
      unexplained,
      before,
      samples,
      after,
    };
  } finally {
    lag.end();
    for (const door of doors.values()) door.close();
    typed.close();
    await Promise.all([gateway.close(), stage.close()]);
  }
}

/** Waits until the gateway says that nothing is under way any more. */
async function settled({ url }: GatewayProcess, violations: string[]): Promise<readonly Metric[]> {
  const names = ["parley_calls_active", "parley_target_in_flight", "parley_target_queue"];
  const end = performance.now() + TOTAL_MS;
  for (;;) {
    const metrics = await readMetrics(url);
    const left = names.filter((name) => totalOf(metrics, name) !== 0);
    if (left.length === 0) return metrics;
    if (performance.now() > end) {
      violations.push(...left.map((name) => `${name} is ${totalOf(metrics, name)} after all calls`));
      return metrics;
    }
    await sleep(100);
  }
}

/** Waits until nothing keeps the process busy that did not before the calls. */
async function drained(
  sample: () => Promise<TimedSample>,
  before: TimedSample,
  violations: string[],
): Promise<TimedSample> {
  const end = performance.now() + SETTLE_MS;
  for (;;) {
    const now = await sample();
    const more = Object.entries(now.resources).filter(([type, count]) => count > (before.resources[type] ?? 0));
    if (more.length === 0 && now.listeners <= before.listeners) return now;
    if (performance.now() > end) {
      for (const [type, count] of more)
        violations.push(`${count} ${type} are left, and were ${before.resources[type]}`);
      if (now.listeners > before.listeners) violations.push(`${now.listeners} listeners, and were ${before.listeners}`);
      return now;
    }
    await sleep(250);
  }
}

function countHedges(outcomes: readonly CallOutcome[], ledger: ReturnType<typeof createLedger>): number {
  return outcomes
    .filter(({ plan }) => plan.hedgeMs !== undefined)
    .flatMap(({ plan }) => {
      const records = ledger.of(plan.number);
      return records.filter((it, at) =>
        records.slice(0, at).some(({ endedAt }) => (endedAt ?? it.startedAt) >= it.startedAt),
      );
    }).length;
}

function describe({ plan, startedAt, endedAt, thrown }: CallOutcome, lines: readonly LogLine[]): string {
  const { door, streaming, model, fallbacks, deadlineMs, cancelMs, hedgeMs } = plan;
  const said = { model, fallbacks, deadlineMs, cancelMs, hedgeMs, tookMs: Math.round(endedAt - startedAt) };
  const attempts = JSON.stringify(lines.map((line) => [line["durationMs"], line["attempts"]]));
  return `${door} ${streaming ? "stream" : "whole"} ${JSON.stringify(said)} ${attempts} ${thrown ?? ""}`;
}
