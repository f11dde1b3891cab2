import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../src/providers/sandbox/random.ts";
import type { Replica } from "../support/replica.ts";
import type { Json } from "./ledger.ts";
import type { Moments } from "./moments.ts";

/** A request that is made until it is answered. */
export interface Question {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  /** The secret of a key. */
  readonly secret: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** Who is asked; undefined: anybody, each time anew. */
  readonly replica?: Replica | undefined;
  /** After how many milliseconds the client itself cuts the first try; undefined: it does not. */
  readonly cutMs?: number | undefined;
}

/** Its answer, and when the request that got it was made. */
export interface Answer {
  readonly status: number;
  readonly json: Json;
  /** Such as "GET on alpha". */
  readonly by: string;
  readonly from: number;
  readonly to: number;
}

/** Asks replicas that may be killed at any moment. */
export interface Client {
  /** Requests that had to be made again, because their connection was cut, or their replica said that it can't answer. */
  readonly counts: { requests: number; cuts: number; unavailable: number };
  ask(random: Random, question: Question): Promise<Answer>;
}

/** On a busy machine, it may be long until a request is made between two kills. */
const GIVE_UP_MS = 600_000;
/** A replica that lives answers everything within this time. */
const ANSWER_MS = 30_000;

/** Makes one. */
export function createClient(replicas: readonly Replica[], moments: Moments): Client {
  const counts = { requests: 0, cuts: 0, unavailable: 0 };
  return {
    counts,
    async ask(random, { method, path, secret, headers, body, replica, cutMs }) {
      const end = performance.now() + GIVE_UP_MS;
      let why: unknown;
      for (let isFirst = true; performance.now() < end; isFirst = false) {
        const { name, url } = replica ?? random.pick(replicas);
        const from = performance.now();
        counts.requests += 1;
        try {
          const answering = fetch(`${url}${path}`, {
            method,
            headers: { ...headers, authorization: `Bearer ${secret}`, "content-type": "application/json" },
            signal: AbortSignal.timeout(isFirst && cutMs !== undefined ? cutMs : ANSWER_MS),
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          });
          moments.happen("request", name);
          const answer = await answering;
          const json = (await answer.json()) as Json;
          const { status } = answer;
          if (status !== 503) return { status, json, by: `${method} on ${name}`, from, to: performance.now() };
          counts.unavailable += 1;
          why = JSON.stringify(json);
        } catch (cut) {
          counts.cuts += 1;
          why = (cut as Error).cause ?? cut;
        }
        await sleep(50 + random.int(150));
      }
      throw new Error(`${method} ${path} was not answered: ${String(why)}`);
    },
  };
}
