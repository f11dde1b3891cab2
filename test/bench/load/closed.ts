import { openGrpcJs } from "./grpc-js.ts";
import { openHttp1 } from "./http1.ts";
import { openHttp2 } from "./http2.ts";
import type { ClosedLoad, ClosedResult } from "./load.ts";

const OPENERS = { http1: openHttp1, http2: openHttp2, "grpc-js": openGrpcJs };

/** Makes the calls of a closed load. */
export async function runClosed(load: ClosedLoad): Promise<ClosedResult> {
  const client = await OPENERS[load.protocol](load);
  const { until, connections, callsEach } = load;
  const begin = performance.now();
  let calls = 0;
  // Of so many calls, the last ones are open on all connections at the same time.
  const isOver =
    "calls" in until
      ? () => calls + connections * callsEach > until.calls
      : () => performance.now() - begin >= until.seconds * 1000;
  try {
    await client.run(isOver, () => {
      calls += 1;
    });
  } finally {
    client.close();
  }
  return { calls, seconds: (performance.now() - begin) / 1000 };
}
