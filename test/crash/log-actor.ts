import { setTimeout as sleep } from "node:timers/promises";
import { createRandom, type Random } from "../../src/providers/sandbox/random.ts";
import { ADMIN, OWNERS } from "./config.ts";
import type { Json } from "./ledger.ts";
import { askFor, type World } from "./world.ts";

/** A page of a list. */
interface Page {
  readonly data: readonly Json[];
  readonly next_page_token?: string;
}

/** Makes ordinary calls, and reads the log of requests in between. */
export async function makeCalls(world: World, place: number): Promise<void> {
  const random = createRandom(`${world.seed} calls ${place}`);
  const { ledger } = world;
  for (let number = 1; !world.over.aborted; number++) {
    const content = `Call ${place}-${number}`;
    const body = { model: "sandbox/echo", messages: [{ role: "user", content }] };
    const path = "/v1/chat/completions";
    const { secret } = random.pick(OWNERS);
    await askFor(world, random, 200, { method: "POST", path, secret, body });
    await sleep(random.int(300));
    if (random.next() < 0.5) {
      const read = "/v1/admin/requests?page_size=100";
      const answer = await askFor(world, random, 200, { method: "GET", path: read, secret: ADMIN.secret });
      if (answer !== undefined) ledger.seeRows((answer.json as unknown as Page).data, answer.by);
    }
  }
}

/** Reads a whole list, page by page. */
export async function readAll<T extends Json>(
  world: World,
  random: Random,
  path: string,
  secret: string,
): Promise<T[]> {
  const all: T[] = [];
  for (let token = ""; ; ) {
    const page = `${path}?page_size=500${token === "" ? "" : `&page_token=${encodeURIComponent(token)}`}`;
    const answer = await askFor(world, random, 200, { method: "GET", path: page, secret });
    if (answer === undefined) return all;
    const { data, next_page_token = "" } = answer.json as unknown as Page;
    all.push(...(data as readonly T[]));
    if (next_page_token === "") return all;
    token = next_page_token;
  }
}
