import { setTimeout as sleep } from "node:timers/promises";
import { createRandom, type Random } from "../../src/providers/sandbox/random.ts";
import type { ConfigKey } from "../support/config-key.ts";
import type { Question } from "./client.ts";
import { OWNERS } from "./config.ts";
import { isFinal } from "./judge-runs.ts";
import type { RunJson, WantedRun } from "./ledger.ts";
import { watchRun } from "./watcher.ts";
import { askFor, askForRun, type World } from "./world.ts";

/** Where a run can be queued, and what its body needs for that. */
const ROUTES = [
  ["/v1/chat_completion_runs", {}],
  ["/v3/ai/chat_completion_runs", {}],
  ["/v1/chat/completions", { async: true }],
  ["/v3/ai/chat/completions", { async: true }],
] as const;

const WORDS = ["amber", "birch", "cobalt", "drift", "ember", "fjord", "grove", "harbor", "iris", "jade"];

/** One that is not over by then is left to the judge. */
const FOLLOW_MS = 180_000;

/** Queues runs, one after the other, and follows each in another way. */
export async function queueRuns(world: World, place: number): Promise<void> {
  const random = createRandom(`${world.seed} runs ${place}`);
  for (let number = 1; !world.over.aborted; number++) {
    const owner = random.pick(OWNERS);
    const { wanted, question } = planRun(random, owner, `${place}-${number}`);
    world.ledger.runs.push(wanted);
    const uid = await queue(world, random, wanted, question);
    if (uid === undefined) continue;
    const willCancel = random.next() < 0.15;
    // Others draw from a random of their own, so that what is drawn here depends on nobody's pace.
    const own = createRandom(`${world.seed} run ${place}-${number}`);
    await Promise.all([
      follow(world, own, owner, uid),
      ...(willCancel ? [cancel(world, own, owner, wanted, uid)] : []),
    ]);
  }
}

function planRun(random: Random, { id, secret }: ConfigKey, name: string): { wanted: WantedRun; question: Question } {
  const chance = random.next();
  const model = chance < 0.75 ? "sandbox/echo" : chance < 0.9 ? "sandbox/eliza" : "sandbox/fault-error-in-stream";
  const words = Array.from({ length: 3 + random.int(60) }, () => random.pick(WORDS));
  const content = `Run ${name}: ${words.join(" ")}`;
  const [path, extra] = random.pick(ROUTES);
  const requestId = `request-${name}`;
  return {
    wanted: {
      requestId,
      owner: id,
      model,
      text: model === "sandbox/echo" ? content : undefined,
      uids: new Set(),
      isCancelSent: false,
      cancelled: undefined,
    },
    question: {
      method: "POST",
      path,
      secret,
      headers: { "idempotency-key": requestId },
      body: { model, messages: [{ role: "user", content }], ...extra },
    },
  };
}

/** Queues a run, and often says so again; undefined where it was refused. */
async function queue(world: World, random: Random, wanted: WantedRun, question: Question): Promise<string | undefined> {
  const times = random.next() < 0.2 ? 2 : 1;
  for (let time = 0; time < times; time++) {
    const cutMs = random.next() < 0.1 ? random.int(20) : undefined;
    const answer = await askFor(world, random, 202, { ...question, cutMs });
    if (answer === undefined) return undefined;
    const run = answer.json as RunJson;
    world.ledger.sightings.push({ by: answer.by, from: answer.from, to: answer.to, run });
    wanted.uids.add(run.uid);
  }
  return [...wanted.uids][0];
}

async function follow(world: World, random: Random, owner: ConfigKey, uid: string): Promise<void> {
  const chance = random.next();
  if (chance < 0.45) {
    const watchers = Array.from({ length: 1 + random.int(3) }, async (_, at) => {
      const own = createRandom(`${world.seed} watch ${uid} ${at}`);
      await sleep(own.int(500));
      await watchRun(world, own, owner, uid, `${own.next() < 0.7 ? "SSE" : "Connect"} ${at}`);
    });
    await Promise.all(watchers);
  } else if (chance < 0.85) {
    const path =
      chance < 0.65 ? `/v1/chat_completion_runs/${uid}` : `/v3/ai/chat_completion_runs/${uid}/wait?timeout=2s`;
    const end = performance.now() + FOLLOW_MS;
    for (;;) {
      const run = await askForRun(world, random, { method: "GET", path, secret: owner.secret });
      if (run === undefined || isFinal(run.status) || performance.now() > end) return;
      await sleep(20 + random.int(300));
    }
  }
}

async function cancel(
  world: World,
  random: Random,
  { secret }: ConfigKey,
  wanted: WantedRun,
  uid: string,
): Promise<void> {
  await sleep(random.int(1_500));
  wanted.isCancelSent = true;
  const path = `/v1/chat_completion_runs/${uid}/cancel`;
  const run = await askForRun(world, random, { method: "POST", path, secret });
  wanted.cancelled = run?.status;
}
