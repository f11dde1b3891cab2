import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../src/providers/sandbox/random.ts";
import type { Stage } from "./actors.ts";
import { type Config, drawBrokenFile, drawConfig } from "./configs.ts";
import type { GatewayProcess, LogLine } from "./gateway-process.ts";
import type { Reign } from "./judge.ts";

/** Gives a gateway other configurations while it works. */
export interface Reloader {
  /** All configurations so far, and when they may have been in force. */
  readonly reigns: readonly Reign[];
  /** How many were taken, and how many files were refused. */
  readonly counts: { readonly ok: number; readonly refused: number };
  /** What went other than it should have. */
  readonly faults: readonly string[];
  /** Is told each line of the gateway's log. */
  hear(line: LogLine): void;
  /** Draws files, some of them broken, and gives one after the other, until the signal is aborted. */
  run(random: Random, signal: AbortSignal): Promise<void>;
  /** Gives this one. */
  give(config: Config): Promise<void>;
}

/** How long a reload may take: the gateway looks at its file each second, and may wait for lists of models for five seconds. */
const RELOAD_MS = 20_000;

/** Makes it, for a gateway that was started with `first`. */
export function createReloader(stage: Stage, gateway: () => GatewayProcess, first: Config): Reloader {
  const reigns: Reign[] = [{ config: first, from: 0, to: Number.POSITIVE_INFINITY }];
  const counts = { ok: 0, refused: 0 };
  const faults: string[] = [];
  let isExpected: PromiseWithResolvers<"reloaded" | "reload refused"> | undefined;

  /** Writes a file, has it read by a signal or by waiting until it is noticed, and tells what came of it. */
  const offer = async (file: string, signals: boolean): Promise<string> => {
    const expected = Promise.withResolvers<"reloaded" | "reload refused">();
    isExpected = expected;
    await gateway().write(file);
    if (signals) gateway().hangUp();
    const timer = setTimeout(() => expected.reject(new Error("a reload was not done in 20 s")), RELOAD_MS);
    try {
      return await expected.promise;
    } finally {
      clearTimeout(timer);
    }
  };
  const give = async (config: Config, signals = true): Promise<void> => {
    const before = reigns.at(-1) as Reign;
    const next = { config, from: performance.now(), to: Number.POSITIVE_INFINITY };
    reigns.push(next);
    const said = await offer(config.file, signals);
    before.to = performance.now();
    if (said === "reloaded") counts.ok += 1;
    else faults.push("a file that should be taken was refused");
  };
  const breakIt = async (file: string, signals: boolean): Promise<void> => {
    const said = await offer(file, signals);
    if (said === "reload refused") counts.refused += 1;
    else faults.push("a file that should be refused was taken");
  };
  return {
    reigns,
    counts,
    faults,
    hear({ msg }) {
      if (msg !== "reloaded" && msg !== "reload refused") return;
      if (isExpected === undefined) faults.push(`"${msg}", and nobody had asked`);
      isExpected?.resolve(msg);
      isExpected = undefined;
    },
    async run(random, signal) {
      while (!signal.aborted) {
        await sleep(500 + random.int(4_000), undefined, { signal }).catch(() => undefined);
        if (signal.aborted) return;
        const { config } = reigns.at(-1) as Reign;
        const signals = random.next() < 0.5;
        if (random.next() < 0.25) {
          await breakIt(drawBrokenFile(random, config), signals);
          continue;
        }
        let next = drawConfig(stage, random);
        while (next.file === config.file) next = drawConfig(stage, random);
        await give(next, signals);
      }
    },
    give,
  };
}
