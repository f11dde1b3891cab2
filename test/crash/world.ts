import type { Random } from "../../src/providers/sandbox/random.ts";
import type { Replica } from "../support/replica.ts";
import type { Answer, Client, Question } from "./client.ts";
import type { Ledger, RunJson } from "./ledger.ts";
import type { Moments } from "./moments.ts";

/** What actors have in common. */
export interface World {
  readonly seed: string;
  readonly replicas: readonly Replica[];
  readonly client: Client;
  readonly ledger: Ledger;
  readonly moments: Moments;
  /** Aborted when nothing new is to be begun. */
  readonly over: AbortSignal;
}

/** Asks, and notes an answer of another status as a fault; undefined then. */
export async function askFor(
  { client, ledger }: World,
  random: Random,
  status: number,
  question: Question,
): Promise<Answer | undefined> {
  const answer = await client.ask(random, question);
  if (answer.status === status) return answer;
  ledger.faults.push(`${answer.by} ${question.path}: ${answer.status} ${JSON.stringify(answer.json)}`);
  return undefined;
}

/** Asks for a run, and notes how it was seen. */
export async function askForRun(world: World, random: Random, question: Question): Promise<RunJson | undefined> {
  const answer = await askFor(world, random, 200, question);
  if (answer === undefined) return undefined;
  const { by, from, to } = answer;
  const run = answer.json as RunJson;
  world.ledger.sightings.push({ by: `${by} ${question.path}`, from, to, run });
  return run;
}

/** Has work done by so many at once. */
export async function forEach<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
