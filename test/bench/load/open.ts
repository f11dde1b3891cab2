import { setTimeout as sleep } from "node:timers/promises";
import { percentile } from "../percentile.ts";
import { checkMarks } from "./http1.ts";
import { type Connection, encodeRequest, openConnection } from "./http1-connection.ts";
import type { OpenLoad, OpenResult } from "./load.ts";
import { MarkReader, nowUs } from "./mark.ts";

/** Loopback addresses that connections are made from: each of them has but some 28,000 ports for one server. */
const ADDRESSES = 4;

/** How many streams may wait for their first chunk. More would not fit into the queue of connections of a server that is slow. */
const OPENING_AT_ONCE = 100;

/** Those that stay open. */
let staying: readonly Connection[] = [];

/**
 * Opens streams evenly over the time that it may take, and waits for the ends of all of them, or only for their first chunks when they are to
 * stay. What chunks take is looked at from when the last stream should be open until the first one ends.
 */
export async function runOpen({ call, streams, rampMs, stays }: OpenLoad): Promise<OpenResult> {
  const request = encodeRequest(call);
  const latencies: number[] = [];
  const connections: Connection[] = [];
  const begin = performance.now();
  const openUs = nowUs() + rampMs * 1_000;
  const ends: Promise<void>[] = [];
  let begun = 0;
  let hasEnded = false;

  /** Opens a stream, and resolves when its first chunk is there. */
  const openOne = async (at: number): Promise<void> => {
    const connection = await openConnection(call.port, `127.0.0.${2 + (at % ADDRESSES)}`);
    connections.push(connection);
    const first = Promise.withResolvers<void>();
    let now = 0;
    const marks = new MarkReader(call.mark, (sentUs) => {
      if (now >= openUs && !hasEnded) latencies.push(now - sentUs);
    });
    const end = connection.call(request, (data) => {
      now = nowUs();
      marks.push(data);
      if (marks.count > 0) first.resolve();
    });
    ends.push(
      end.then(() => {
        hasEnded = true;
        checkMarks(marks.count, call.marks);
      }),
    );
    await Promise.race([first.promise, end]);
  };
  const openSome = async (): Promise<void> => {
    while (begun < streams) {
      const at = begun++;
      await sleep(Math.max(0, begin + (at * rampMs) / streams - performance.now()));
      await openOne(at);
    }
  };
  await Promise.all(Array.from({ length: Math.min(streams, OPENING_AT_ONCE) }, openSome));
  if (stays) {
    staying = connections;
    // They do not end before the client goes away, and have no answer then.
    for (const end of ends) end.catch(() => undefined);
  } else {
    await Promise.all(ends);
    for (const connection of connections) connection.close();
  }
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}

/** Goes away from the streams that stay open. */
export function closeOpen(): void {
  for (const connection of staying) connection.close();
  staying = [];
}
