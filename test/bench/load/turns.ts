import { checkMarks } from "./http1.ts";
import { encodeRequest, openConnection } from "./http1-connection.ts";
import type { Call, TurnsLoad, TurnsResult } from "./load.ts";
import { MarkReader } from "./mark.ts";

/** Calls one server after the other, and takes the times. */
export async function runTurns({ calls, turns }: TurnsLoad): Promise<TurnsResult> {
  const servers = await Promise.all(calls.map(openServer));
  try {
    for (let turn = 0; turn < turns; turn++) for (const server of servers) await server.callOnce();
  } finally {
    for (const server of servers) server.close();
  }
  return { first: servers.map(({ first }) => first), whole: servers.map(({ whole }) => whole) };
}

async function openServer(call: Call) {
  const request = encodeRequest(call);
  const connection = await openConnection(call.port);
  const first: number[] = [];
  const whole: number[] = [];
  const callOnce = async (): Promise<void> => {
    const marks = new MarkReader(call.mark);
    const begin = performance.now();
    let firstMs: number | undefined;
    await connection.call(request, (data) => {
      marks.push(data);
      if (marks.count > 0) firstMs ??= performance.now() - begin;
    });
    whole.push((performance.now() - begin) * 1000);
    checkMarks(marks.count, call.marks);
    first.push((firstMs ?? Number.NaN) * 1000);
  };
  return { first, whole, callOnce, close: connection.close };
}
