import { setTimeout as sleep } from "node:timers/promises";
import { createRandom, type Random } from "../../src/providers/sandbox/random.ts";
import type { Replica } from "../support/replica.ts";
import { ADMIN } from "./config.ts";
import type { MadeKey } from "./ledger.ts";
import { askFor, type World } from "./world.ts";

/** Makes keys, uses them and older ones, and revokes every second one. */
export async function makeKeys(world: World, place: number): Promise<void> {
  const random = createRandom(`${world.seed} keys ${place}`);
  const { keys } = world.ledger;
  for (let number = 1; !world.over.aborted; number++) {
    const body = { name: `${place}-${number}`, scopes: ["models"] };
    const answer = await askFor(world, random, 200, {
      method: "POST",
      path: "/v1/admin/keys",
      secret: ADMIN.secret,
      body,
    });
    if (answer === undefined) return;
    const { key, secret } = answer.json as { key: { id: string }; secret: string };
    const made: MadeKey = { id: key.id, secret, revokeSentAt: undefined, revokedAt: undefined };
    keys.push(made);
    for (let use = random.int(4); use >= 0; use--) {
      await useKey(world, random, made);
      await sleep(random.int(150));
    }
    if (random.next() < 0.5) await revoke(world, random, made);
    for (let use = random.int(8); use >= 0; use--) {
      await useKey(world, random, random.next() < 0.5 ? made : random.pick(keys));
      await sleep(random.int(400));
    }
  }
}

/** Makes a request with a key, of a replica or anybody, and notes how it was answered. */
export async function useKey(
  { client, ledger }: World,
  random: Random,
  { id, secret }: MadeKey,
  replica?: Replica,
): Promise<void> {
  const { by, from, to, status } = await client.ask(random, { method: "GET", path: "/v1/models", secret, replica });
  ledger.keyUses.push({ id, by, from, to, status });
}

async function revoke(world: World, random: Random, key: MadeKey): Promise<void> {
  key.revokeSentAt = performance.now();
  const way = random.pick([
    ["DELETE", ""],
    ["POST", "/revoke"],
  ] as const);
  const path = `/v1/admin/keys/${key.id}${way[1]}`;
  const answer = await askFor(world, random, 200, { method: way[0], path, secret: ADMIN.secret });
  key.revokedAt = answer?.to;
}
