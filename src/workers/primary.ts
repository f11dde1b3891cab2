import { randomUUID } from "node:crypto";
import { checkChange } from "../config/compare-settings.ts";
import type { Settings } from "../config/settings.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { sleep } from "../lib/sleep.ts";
import type { Logger } from "../telemetry/logger.ts";
import { type FrontDoor, openFrontDoor, type Taker } from "./front-door.ts";
import type { LineSink } from "./lines.ts";
import { createMetricPool, type MetricSource } from "./metric-pool.ts";
import { createWorkerDesk, type WorkerDesk } from "./primary-service.ts";
import type { Started } from "./protocol.ts";
import { shareOfWorker } from "./share.ts";
import { createSharedState, type SharedState } from "./shared-state.ts";
import { type Ended, WorkerEndedError } from "./worker-ended.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

/** Workers that serve as one gateway. */
export interface RunningWorkers {
  /** Where they can be called. */
  readonly url: string;
  /** Whether everybody on this machine may call. */
  readonly isOpen: boolean;
  /**
   * Puts other settings into force in all workers, or in none: rejects where one of them refuses, and then nothing has changed. To be
   * called again only when this has ended.
   */
  reload(settings: Settings): Promise<void>;
  /** Counts that settings were read again. */
  recordReload(outcome: "ok" | "refused"): void;
  /** Has all workers drain and end. Resolves when they are gone. */
  stop(): Promise<void>;
}

/** What workers are started with. */
export interface WorkersOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  /** Where the lines of their logs go. */
  readonly log: LineSink;
}

/** After a life that was shorter, the next worker is started later than the one before: so long, then twice as long, and so on. */
const SHORT_LIFE_MS = 10_000;
const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 5_000;

/** How much longer than draining a worker's end may take. */
const END_MS = 15_000;

/** A worker that was started. */
interface Running {
  /** From 1. */
  readonly number: number;
  readonly process: WorkerProcess;
  readonly desk: WorkerDesk;
  readonly metrics: MetricSource;
  readonly startedAt: number;
  readonly taker: Taker;
  /** Resolves when it is gone, and what it held was given back. */
  closed: Promise<void>;
  /** Which settings it has: how often they had been reloaded. */
  generation: number;
  /** Whether it takes connections. */
  isServing: boolean;
}

/**
 * Starts as many workers as the settings say. Rejects with what the first of them failed with that could not start; then none is left.
 */
export async function startWorkers(options: WorkersOptions): Promise<RunningWorkers> {
  const { listen, limits } = options.settings;
  return new Primary(options, await openFrontDoor(listen, limits.maxConnections)).start();
}

class Primary implements RunningWorkers {
  readonly #logger: Logger;
  readonly #log: LineSink;
  readonly #door: FrontDoor;
  readonly #instance = randomUUID();
  readonly #shared: SharedState;
  readonly #pool = createMetricPool();
  readonly #running = new Set<Running>();
  readonly #delays = new Map<number, number>();
  readonly #stopping = new AbortController();
  #settings: Settings;
  #generation = 0;
  #first: Started | undefined;

  constructor({ settings, logger, log }: WorkersOptions, door: FrontDoor) {
    this.#settings = settings;
    this.#logger = logger;
    this.#log = log;
    this.#door = door;
    this.#shared = createSharedState(settings, logger);
  }

  get url(): string {
    return this.#first?.url ?? "";
  }

  get isOpen(): boolean {
    return this.#first?.isOpen ?? false;
  }

  async start(): Promise<this> {
    const numbers = Array.from({ length: this.#settings.workers }, (_, at) => at + 1);
    try {
      [this.#first] = await Promise.all(numbers.map((number) => this.#begin(number)));
    } catch (error) {
      await this.#end(0);
      throw error;
    }
    this.#logger.info({ url: this.url, workers: numbers.length }, "listening");
    return this;
  }

  async reload(next: Settings): Promise<void> {
    if (this.#stopping.signal.aborted) throw new GatewayError(Reason.SHUTTING_DOWN, "the server is going down");
    checkChange(this.#settings, next);
    const asked = this.#serving();
    const answers = await Promise.allSettled(
      asked.map((worker) => worker.process.channel.ask("prepare", shareOfWorker(next, worker.number))),
    );
    const ready = asked.filter((_, at) => answers[at]?.status === "fulfilled");
    // One that has died meanwhile is replaced by one that has the settings which are in force then.
    const refused = answers.find((it) => it.status === "rejected" && !(it.reason instanceof WorkerEndedError));
    if (refused?.status === "rejected") {
      await Promise.all(ready.map((worker) => this.#decide(worker, false)));
      throw refused.reason;
    }
    if (ready.length === 0)
      throw new GatewayError(Reason.UNAVAILABLE, "there is no worker now that could try the settings");
    this.#settings = next;
    this.#generation += 1;
    this.#logger.level = next.logLevel;
    this.#door.change(next.limits.maxConnections);
    await Promise.all(ready.map((worker) => this.#decide(worker, true)));
  }

  recordReload(outcome: "ok" | "refused"): void {
    this.#serving()[0]?.process.channel.tell("recordReload", outcome);
  }

  async stop(): Promise<void> {
    await this.#end(this.#settings.timeouts.drainMs + END_MS);
    this.#logger.info("stopped");
  }

  #serving(): Running[] {
    return [...this.#running].filter(({ isServing }) => isServing);
  }

  /** Starts a worker, and waits until it takes connections. */
  async #begin(number: number): Promise<Started> {
    const worker = this.#fork(number);
    const { channel } = worker.process;
    try {
      const started = await channel.ask("start", {
        member: { instance: this.#instance, number },
        settings: shareOfWorker(this.#settings, number),
        address: this.#door.address,
      });
      while (worker.generation !== this.#generation) {
        const generation = this.#generation;
        await channel.ask("prepare", shareOfWorker(this.#settings, number));
        await channel.ask("decide", true);
        worker.generation = generation;
      }
      worker.isServing = true;
      this.#door.open(worker.taker);
      return started;
    } catch (error) {
      worker.process.kill();
      throw error;
    }
  }

  #fork(number: number): Running {
    const desk = createWorkerDesk({
      shared: this.#shared,
      door: {
        taken: (id) => this.#door.taken(taker, id),
        closed: () => this.#door.closed(taker),
      },
      recall: (caller) => worker.process.channel.ask("recall", caller),
      others: () => this.#serving().flatMap((it) => (it === worker ? [] : [it.process.channel])),
      readMetrics: () => this.#pool.read(this.#serving().map(({ metrics }) => metrics)),
    });
    const process = startWorkerProcess(desk.service, this.#log);
    const taker: Taker = { give: process.give };
    const worker: Running = {
      number,
      process,
      desk,
      taker,
      metrics: { readMetrics: () => process.channel.ask("readMetrics") },
      startedAt: performance.now(),
      closed: Promise.resolve(),
      generation: this.#generation,
      isServing: false,
    };
    this.#running.add(worker);
    worker.closed = process.ended.then((ended) => this.#close(worker, ended));
    return worker;
  }

  /** A worker is gone: what it held is given back, and another one takes its place. */
  async #close(worker: Running, ended: Ended): Promise<void> {
    const { number, process, isServing, startedAt } = worker;
    this.#running.delete(worker);
    this.#door.remove(worker.taker);
    this.#pool.remove(worker.metrics);
    if (isServing && !this.#stopping.signal.aborted) {
      this.#logger.error({ worker: number, pid: process.pid, ended }, "a worker has ended; another one is started");
      void this.#replace(number, performance.now() - startedAt);
    }
    await worker.desk.close();
  }

  async #replace(number: number, livedMs: number): Promise<void> {
    const { signal } = this.#stopping;
    const before = livedMs < SHORT_LIFE_MS ? this.#delays.get(number) : undefined;
    for (let delayMs = before ?? FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, LAST_DELAY_MS)) {
      this.#delays.set(number, Math.min(delayMs * 2, LAST_DELAY_MS));
      try {
        await sleep(delayMs, signal);
        await this.#begin(number);
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.error({ worker: number, err: error }, "a worker can't be started; it is tried again");
      }
    }
  }

  async #decide(worker: Running, isAgreed: boolean): Promise<void> {
    const generation = this.#generation;
    try {
      await worker.process.channel.ask("decide", isAgreed);
      worker.generation = generation;
    } catch (error) {
      if (error instanceof WorkerEndedError) return;
      this.#logger.error({ worker: worker.number, err: error }, "a worker can't go on with its settings");
      worker.process.kill();
    }
  }

  /** Ends all workers, and what they share. Those that have not ended after so many milliseconds are killed. */
  async #end(graceMs: number): Promise<void> {
    this.#stopping.abort(new GatewayError(Reason.SHUTTING_DOWN, "the server is going down"));
    this.#door.close();
    for (const { process, isServing } of this.#running) {
      if (graceMs > 0 && isServing) process.channel.tell("stop");
      else process.kill();
    }
    const late = setTimeout(() => this.#killLate(), graceMs);
    await Promise.all([...this.#running].map(({ closed }) => closed));
    clearTimeout(late);
    await this.#shared.close();
  }

  #killLate(): void {
    // Those that were never asked to end are killed already.
    for (const { number, process } of this.#serving()) {
      this.#logger.error({ worker: number, pid: process.pid }, "a worker does not end, and is killed");
      process.kill();
    }
  }
}
