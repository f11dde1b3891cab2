import { createEventStream, type StreamEvent } from "./event-stream.ts";
import type { Json, SeenEvent } from "./ledger.ts";
import type { WatchConnection, WatchEnd } from "./watcher.ts";

/** A replica that lives sends something within this time: its keep-alive, at least. */
const SILENCE_MS = 60_000;

/** Watches over the event stream of REST. */
export async function watchOverSse(connection: WatchConnection): Promise<WatchEnd> {
  const { replica, secret, uid, after, cutAfter, onEvent } = connection;
  const client = new AbortController();
  const timer = setTimeout(() => client.abort(), SILENCE_MS);
  const stream = createEventStream();
  let bytes = 0;
  let isLast = false;
  try {
    const answer = await fetch(`${replica.url}/v1/chat_completion_runs/${uid}/events`, {
      headers: { authorization: `Bearer ${secret}`, ...(after === 0 ? {} : { "last-event-id": String(after) }) },
      signal: client.signal,
    });
    if (answer.status === 204) return "ended";
    if (answer.status === 503) return "unavailable";
    if (answer.status !== 200 || answer.body === null) return { fault: `${answer.status} ${await answer.text()}` };
    for await (const piece of answer.body) {
      timer.refresh();
      // What a client has read of an event that is cut is of no use to it.
      for (const event of read(stream, piece.subarray(0, cutAfter - bytes))) {
        const seen = eventOf(event);
        if ("failed" in seen) return seen.failed;
        if (isLast && seen.kind !== "done") return { fault: `behind the end: ${event.data}` };
        if (seen.kind === "done" && !isLast) return { fault: "[DONE] before the end" };
        if (seen.kind !== "done") onEvent(seen);
        isLast = seen.kind === "run";
      }
      bytes += piece.length;
      if (bytes >= cutAfter) return "cut";
    }
    return "ended";
  } catch (cut) {
    return cut instanceof NoEventError ? { fault: cut.message } : "cut";
  } finally {
    clearTimeout(timer);
    client.abort();
  }
}

/** What was read is no event. */
class NoEventError extends Error {}

function read(stream: ReturnType<typeof createEventStream>, bytes: Uint8Array): readonly StreamEvent[] {
  try {
    return stream.push(bytes);
  } catch (error) {
    throw new NoEventError((error as Error).message);
  }
}

const KINDS: Readonly<Record<string, SeenEvent["kind"]>> = { "": "chunk", restart: "restart", run: "run" };

function eventOf({ id, name, data }: StreamEvent): SeenEvent | { kind: "done" } | { failed: WatchEnd } {
  if (data === "[DONE]") return { kind: "done" };
  const kind = KINDS[name];
  if (id !== undefined && kind !== undefined) return { sequence: Number(id), kind, json: data };
  const { error } = JSON.parse(data) as { readonly error?: Json };
  return { failed: error?.["code"] === "unavailable" ? "unavailable" : { fault: `told ${data}` } };
}
