import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../src/providers/sandbox/random.ts";
import type { ConfigKey } from "../support/config-key.ts";
import type { Replica } from "../support/replica.ts";
import type { SeenEvent, Watch } from "./ledger.ts";
import { watchOverConnect } from "./watch-connect.ts";
import { watchOverSse } from "./watch-sse.ts";
import type { World } from "./world.ts";

/** One connection of a watcher. */
export interface WatchConnection {
  readonly replica: Replica;
  readonly secret: string;
  readonly uid: string;
  /** Number of the last event that was seen. */
  readonly after: number;
  /** After how much the client itself cuts it: bytes of an event stream, or messages. */
  readonly cutAfter: number;
  /** Is told each event. */
  onEvent(event: SeenEvent): void;
}

/** Why a connection is over: it was cut; or the gateway said the end, or that it can't go on now; or it said what it never should. */
export type WatchEnd = "cut" | "ended" | "unavailable" | { readonly fault: string };

/** One that is not over by then is a fault. */
const WATCH_MS = 600_000;

/** Watches a run to its end, over as many connections as it takes; some of them the watcher cuts itself. */
export async function watchRun(
  { replicas, ledger, moments }: Pick<World, "replicas" | "ledger" | "moments">,
  random: Random,
  { secret }: ConfigKey,
  uid: string,
  by: string,
): Promise<void> {
  const watch: Watch = { uid, by, events: [], resumes: 0, isEnded: false };
  ledger.watches.push(watch);
  const connect = by.startsWith("SSE") ? watchOverSse : watchOverConnect;
  const until = performance.now() + WATCH_MS;
  const isOver = (): boolean => watch.events.at(-1)?.kind === "run";
  while (performance.now() < until) {
    const replica = random.pick(replicas);
    let isFirst = true;
    const end = await connect({
      replica,
      secret,
      uid,
      after: watch.events.at(-1)?.sequence ?? 0,
      cutAfter: random.next() < 0.3 ? 1 + random.int(by.startsWith("SSE") ? 4_000 : 20) : Number.POSITIVE_INFINITY,
      onEvent(event) {
        if (isFirst && watch.events.length > 0) watch.resumes += 1;
        isFirst = false;
        watch.events.push(event);
        moments.happen("event", replica.name);
      },
    });
    if (typeof end === "object") ledger.faults.push(`${by} of run ${uid} on ${replica.name}: ${end.fault}`);
    if (end === "ended" && !isOver()) ledger.faults.push(`${by} of run ${uid} on ${replica.name} ended before the run`);
    watch.isEnded = isOver();
    if (watch.isEnded || typeof end === "object") return;
    await sleep(random.int(200));
  }
}
