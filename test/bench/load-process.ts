/**
 * The process of the load client: makes the calls that it is told to make, and tells how many there were.
 *
 * It never sleeps meanwhile. On one machine, whoever sends to a process that sleeps pays for waking it up, which can cost as much
 * as the call; and the slower a server, the more of its answers would find the client asleep.
 */

import { answerQuestions } from "./child-side.ts";
import type { Load, LoadClient, LoadResult } from "./load.ts";
import { openHttp1 } from "./load-http1.ts";
import { openHttp2 } from "./load-http2.ts";

async function runLoad(load: Load): Promise<LoadResult> {
  const client: LoadClient = load.protocol === "http1" ? await openHttp1(load) : await openHttp2(load);
  let calls = 0;
  let bytes = 0;
  let isRunning = true;
  const stayAwake = (): void => {
    if (isRunning) setImmediate(stayAwake);
  };
  stayAwake();
  const end = performance.now() + load.seconds * 1000;
  try {
    await client.run(
      () => performance.now() >= end,
      (size) => {
        calls += 1;
        bytes += size;
      },
    );
  } finally {
    isRunning = false;
    client.close();
  }
  return { calls, bytes };
}

answerQuestions((question) => runLoad(question as Load));
