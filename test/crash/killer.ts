import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "../../src/providers/sandbox/random.ts";
import type { World } from "./world.ts";

/**
 * Moments to kill at: some time after the start, or within it; or just when a request comes, or an event has gone out. A machine on which a
 * start takes long needs more time for all else, too.
 */
const WAYS = ["later", "later", "start", "request", "request", "event"] as const;

/** Kills a replica at a random moment, and starts it again at once, so many times. `onKill` is told the number of each. */
export async function killReplicas(
  { seed, replicas, moments }: World,
  kills: number,
  onKill: (number: number) => void,
): Promise<void> {
  const random = createRandom(`${seed} kills`);
  for (let number = 1; number <= kills; number++) {
    const replica = random.pick(replicas);
    const way = random.pick(WAYS);
    if (way === "start") await sleep(random.int(1_500));
    else {
      const from = performance.now();
      await replica.ready();
      await sleep(random.int(1_500) + random.next() * (performance.now() - from));
      if (way === "later") await sleep(random.int(3_000));
      else await moments.next(way, replica.name, 2_000);
      await sleep(random.int(20));
    }
    await replica.kill();
    replica.start();
    onKill(number);
  }
}
