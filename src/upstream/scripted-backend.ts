import { setImmediate as nextTurn } from "node:timers/promises";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ChatCompletion, ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import { UsageSource } from "../gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { sleep } from "../lib/sleep.ts";
import type { CompletionScript, ScriptedProvider, StreamScript } from "../providers/script.ts";
import type { Backend, ChunkBatch } from "./backend.ts";

/** Most chunks of a batch: what is ready at once goes out at once, but a long answer does not become one large write. */
const BATCH = 64;

/** What answers within the process takes as many calls as come. */
const UNBOUNDED = { maxInFlight: Number.POSITIVE_INFINITY, maxQueue: 0 };

/** Makes a backend of a provider without a network, by playing its scripts. Its calls are known to cost nothing. */
export function createScriptedBackend(provider: ScriptedProvider): Backend {
  return {
    id: provider.id,
    credentials: 1,
    concurrency: UNBOUNDED,
    vendor: provider.id,
    networked: false,
    address: undefined,
    usageSource: UsageSource.PROVIDER,
    models: () => provider.models(),
    has: (model) => provider.has(model),
    abilitiesOf: (model) => provider.abilitiesOf(model),
    cost: () => 0n,
    plan({ model, params }) {
      const plan = provider.plan(model, params);
      return {
        ...plan,
        describe: () => undefined,
        complete: (signal) => playWhole(provider.complete(model, params, plan), signal),
        stream: (signal) => playStream(provider.stream(model, params, plan), signal),
      };
    },
  };
}

async function playWhole(script: CompletionScript, signal: AbortSignal): Promise<ChatCompletion> {
  for (const step of script) {
    signal.throwIfAborted();
    if (step.kind === "fail") throw step.error;
    if (step.kind === "output") return step.value;
    if (step.kind === "pause") await nextTurn();
    if (step.kind === "wait") await sleep(step.ms, signal);
  }
  throw new GatewayError(Reason.UPSTREAM_INVALID_RESPONSE, "the model's answer ended before it was whole");
}

async function* playStream(script: StreamScript, signal: AbortSignal): AsyncGenerator<ChunkBatch> {
  let batch: ChatCompletionChunk[] = [];
  for (const step of script) {
    signal.throwIfAborted();
    if (step.kind === "output" && batch.push(step.value) < BATCH) continue;
    if (batch.length > 0) {
      yield batch;
      batch = [];
    }
    // A reader that keeps up would otherwise hold up everybody until the end.
    if (step.kind === "output" || step.kind === "pause") await nextTurn();
    if (step.kind === "wait") await sleep(step.ms, signal);
    if (step.kind === "fail") throw step.error;
  }
  if (batch.length > 0) yield batch;
}
