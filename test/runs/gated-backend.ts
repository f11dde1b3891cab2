/** A provider whose stream comes when a test says so. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { GatewayError } from "../../src/errors/gateway-error.ts";
import { ChatCompletionChunkSchema, FinishReason } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import type { Backend, ChunkBatch } from "../../src/upstream/backend.ts";
import { idleBackend } from "../support/routing.ts";

/** One stream that was asked for. */
export interface GatedStream {
  /** Aborted when nobody wants it any more. */
  readonly signal: AbortSignal;
  say(text: string): void;
  end(): void;
  fail(error: GatewayError): void;
}

export interface GatedBackend {
  readonly backend: Backend;
  /** The streams that were asked for, in order. */
  readonly streams: readonly GatedStream[];
}

/** Serves "gated/m". */
export function createGatedBackend(): GatedBackend {
  const streams: GatedStream[] = [];
  const backend = idleBackend("gated", {
    plan: () => ({
      adjustments: [],
      promptTokens: 1,
      describe: () => undefined,
      complete: () => Promise.reject(new Error("it only streams")),
      stream(signal) {
        const stream = createGatedStream(signal);
        streams.push(stream);
        return stream.batches();
      },
    }),
  });
  return { backend, streams };
}

function createGatedStream(signal: AbortSignal): GatedStream & { batches(): AsyncGenerator<ChunkBatch> } {
  const steps: (ChunkBatch | GatewayError | "end")[] = [];
  let wake = (): void => undefined;
  const add = (step: ChunkBatch | GatewayError | "end"): void => {
    steps.push(step);
    wake();
  };
  const chunk = (init: MessageInitShape<typeof ChatCompletionChunkSchema>) => create(ChatCompletionChunkSchema, init);
  signal.addEventListener("abort", () => wake());
  return {
    signal,
    say: (content) => add([chunk({ choices: [{ delta: { content } }] })]),
    end() {
      add([
        chunk({ choices: [{ delta: {}, finishReason: FinishReason.STOP }] }),
        chunk({ usage: { promptTokens: 1, completionTokens: 1, totalTokens: 2 } }),
      ]);
      add("end");
    },
    fail: add,
    async *batches() {
      for (;;) {
        signal.throwIfAborted();
        const step = steps.shift();
        if (step === "end") return;
        if (step instanceof Error) throw step;
        if (step !== undefined) yield step;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
  };
}
