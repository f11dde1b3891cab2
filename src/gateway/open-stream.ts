import type { ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import { type Feed, feedOf } from "../lib/feed.ts";
import { stopQuietly } from "../lib/stop-quietly.ts";
import type { ChunkBatch, PlannedCall } from "../upstream/backend.ts";
import type { Attempt } from "./attempt.ts";
import { createIdentity } from "./identity.ts";
import { hideReasoningInChunk } from "./reasoning.ts";
import { createStreamGrammar, hasOutput, type StreamGrammar } from "./stream-grammar.ts";

/** What a provider calls its answer; empty where it does not say. */
export interface Origin {
  id: string;
  model: string;
}

/** A stream that has come to its first output, or to its end. */
export interface OpenStream {
  /** What came so far: for the client, who has seen nothing of it. */
  readonly held: ChatCompletionChunk[];
  readonly grammar: StreamGrammar;
  readonly origin: Origin;
  readonly hidesReasoning: boolean;
  /** What is still to come. */
  readonly rest: Feed<ChatCompletionChunk>;
  /** Set where the stream has ended: its last chunk, which has the usage, if there is one. */
  end: { readonly chunk: ChatCompletionChunk | undefined } | undefined;
}

/** How a stream is read. */
export interface StreamReading {
  /** How many choices it has. */
  readonly choices: number;
  readonly hidesReasoning: boolean;
  /** Between two outputs, in milliseconds; undefined: no bound. */
  readonly idleMs: number | undefined;
}

/**
 * Opens a stream, and reads it up to the first output that the client sees: what speaks before only says who speaks. What comes is held
 * back until then, so that another target can be asked when it fails.
 */
export async function openStream(plan: PlannedCall, attempt: Attempt, reading: StreamReading): Promise<OpenStream> {
  const { candidate, signal, options } = attempt;
  const { hidesReasoning, choices, idleMs } = reading;
  const stream: OpenStream = {
    held: [],
    grammar: createStreamGrammar(createIdentity(candidate.answersAs), choices),
    origin: { id: "", model: "" },
    hidesReasoning,
    rest: feedOf(plan.stream(signal, options)),
    end: undefined,
  };
  try {
    for (;;) {
      await stream.rest.ready();
      const batch = stream.rest.take();
      if (batch === undefined) break;
      if (batch.some(isOutput)) {
        attempt.outputCame();
        attempt.awaitOutput(idleMs);
      }
      if (readBatch(batch, stream, stream.held)) return stream;
    }
    signal.throwIfAborted();
    stream.end = { chunk: stream.grammar.finish() };
    attempt.outputCame();
    return stream;
  } catch (thrown) {
    // What breaks the grammar may still go on.
    void stopQuietly(stream.rest);
    throw thrown;
  }
}

/** Reads a batch of a stream, and adds to `out` what clients get of it. Returns whether that has output. */
export function readBatch(
  batch: ChunkBatch,
  { grammar, origin, hidesReasoning }: Pick<OpenStream, "grammar" | "origin" | "hidesReasoning">,
  out: ChatCompletionChunk[],
): boolean {
  let isVisible = false;
  for (const chunk of batch) {
    if (origin.id === "") origin.id = chunk.id;
    if (origin.model === "") origin.model = chunk.model;
    if (hidesReasoning) hideReasoningInChunk(chunk);
    isVisible ||= isOutput(chunk);
    grammar.push(chunk, out);
  }
  return isVisible;
}

/** Whether a chunk is output: a role alone is none. */
function isOutput({ choices }: ChatCompletionChunk): boolean {
  for (const { delta } of choices) if (delta !== undefined && hasOutput(delta)) return true;
  return false;
}
