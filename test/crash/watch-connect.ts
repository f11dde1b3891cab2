import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { ChatCompletionChunkSchema } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import {
  RunRestartSchema,
  RunSchema,
  RunsService,
  type WatchRunResponse,
} from "../../src/gen/parley/runs/v1/runs_service_pb.ts";
import { stringifyJson } from "../../src/openai-json/encode.ts";
import type { SeenEvent } from "./ledger.ts";
import type { WatchConnection, WatchEnd } from "./watcher.ts";

/** Watches over Connect's WatchRun. */
export async function watchOverConnect(connection: WatchConnection): Promise<WatchEnd> {
  const { replica, secret, uid, after, cutAfter, onEvent } = connection;
  const client = new AbortController();
  const transport = createConnectTransport({ baseUrl: replica.url, httpVersion: "1.1" });
  const runs = createClient(RunsService, transport);
  let messages = 0;
  try {
    const stream = runs.watchRun(
      { uid, afterSequence: BigInt(after) },
      { headers: { authorization: `Bearer ${secret}` }, signal: client.signal },
    );
    for await (const message of stream) {
      onEvent(eventOf(message));
      messages += 1;
      if (messages >= cutAfter) return "cut";
    }
    return "ended";
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    // What the gateway says itself has details; what the client makes of a lost connection has none.
    if (error.details.length === 0) return "cut";
    return error.code === Code.Unavailable ? "unavailable" : { fault: error.message };
  } finally {
    client.abort();
  }
}

/** The event as REST has it. */
function eventOf({ sequence: number, event }: WatchRunResponse): SeenEvent {
  const sequence = Number(number);
  switch (event.case) {
    case "chunk":
      return { sequence, kind: "chunk", json: stringifyJson(ChatCompletionChunkSchema, event.value) };
    case "restart":
      return { sequence, kind: "restart", json: stringifyJson(RunRestartSchema, event.value) };
    case "run":
      return { sequence, kind: "run", json: stringifyJson(RunSchema, event.value) };
    default:
      throw new ConnectError(`event ${sequence} has nothing`, Code.Internal);
  }
}
