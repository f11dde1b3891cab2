import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRaw, type RawAnswer } from "../support/raw-call.ts";
import { type Replica, startReplica } from "../support/replica.ts";

/** Two replicas that share their state. */
export interface Pair {
  readonly replicas: readonly [Replica, Replica];
  close(): Promise<void>;
}

/** Starts two, with the same file, and waits until both listen. */
export async function startPair(config: object): Promise<Pair> {
  const folder = await mkdtemp(join(tmpdir(), "parley-replicas-"));
  const [first, second] = await Promise.all(["alpha", "beta"].map((name) => startReplica({ name, folder, config })));
  const replicas = [first as Replica, second as Replica] as const;
  const close = async (): Promise<void> => {
    await Promise.all(replicas.map((replica) => replica.kill()));
    await rm(folder, { recursive: true });
  };
  try {
    await Promise.all(replicas.map((replica) => replica.ready()));
  } catch (error) {
    await close();
    throw error;
  }
  return { replicas, close };
}

/** How a call was answered. */
export interface Answer {
  readonly status: number;
  readonly headers: RawAnswer["headers"];
  readonly json: unknown;
}

/** Makes a request of a replica over HTTP/1.1. */
export async function ask(
  { url }: Replica,
  method: string,
  path: string,
  secret: string,
  body?: object,
): Promise<Answer> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, headers: Object.fromEntries(answer.headers), json: await answer.json() };
}

/** A call of the sandbox, which repeats the text. */
export const echo = (content: string): object => ({ model: "sandbox/echo", messages: [{ role: "user", content }] });

/** Most calls of one connection. */
const STREAMS = 100;

/** Makes so many calls of each replica, all at once, over connections of their own. */
export async function callAtOnce(replicas: readonly Replica[], secret: string, each: number): Promise<Answer[]> {
  const clients = replicas.flatMap(({ url }) => Array.from({ length: Math.ceil(each / STREAMS) }, () => openRaw(url)));
  const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
  const body = JSON.stringify(echo("Hello"));
  try {
    return await Promise.all(
      clients.flatMap((client) =>
        Array.from({ length: Math.min(each, STREAMS) }, async () => {
          const answer = await client.call("/v1/chat/completions", { headers, body });
          const { headers: head } = answer;
          return { status: Number(head[":status"]), headers: head, json: JSON.parse(answer.body.toString()) };
        }),
      ),
    );
  } finally {
    for (const client of clients) client.close();
  }
}
