import { setTimeout as sleep } from "node:timers/promises";
import { percentile } from "../percentile.ts";
import { checkMarks } from "./http1.ts";
import { type Connection, encodeRequest, openConnection } from "./http1-connection.ts";
import type { OpenLoad, OpenResult } from "./load.ts";
import { MarkReader, nowUs } from "./mark.ts";

/** Loopback addresses that connections are made from: each of them has but some 28,000 ports for one server. */
const ADDRESSES = 4;

/**
 * Opens streams evenly over the time that it may take, and waits for the ends of all of them. What chunks take is looked at from when the last
 * stream is opened until the first one ends.
 */
export async function runOpen({ call, streams, rampMs }: OpenLoad): Promise<OpenResult> {
  const request = encodeRequest(call);
  const latencies: number[] = [];
  const connections: Connection[] = [];
  const opened = nowUs() + rampMs * 1000;
  let hasEnded = false;

  const runOne = async (at: number): Promise<void> => {
    await sleep((at * rampMs) / streams);
    const connection = await openConnection(call.port, `127.0.0.${2 + (at % ADDRESSES)}`);
    connections.push(connection);
    let now = 0;
    const marks = new MarkReader(call.mark, (sentUs) => {
      if (now >= opened && !hasEnded) latencies.push(now - sentUs);
    });
    await connection.call(request, (data) => {
      now = nowUs();
      marks.push(data);
    });
    hasEnded = true;
    checkMarks(marks.count, call.marks);
  };
  try {
    await Promise.all(Array.from({ length: streams }, (_, at) => runOne(at)));
  } finally {
    for (const connection of connections) connection.close();
  }
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}
