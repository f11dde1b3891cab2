/** A provider of one model that does well or badly by a schedule, and writes down who asked it. */
import { create } from "@bufbuild/protobuf";
import type { ConcurrencySettings } from "../../../src/config/provider-settings.ts";
import { GatewayError } from "../../../src/errors/gateway-error.ts";
import {
  type ChatCompletion,
  type ChatCompletionChunk,
  ChatCompletionChunkSchema,
  ChatCompletionSchema,
  ChoiceSchema,
  FinishReason,
} from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { UsageSource } from "../../../src/gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../../../src/gen/parley/errors/v1/errors_pb.ts";
import { ModelSchema } from "../../../src/gen/parley/models/v1/models_service_pb.ts";
import { sleep } from "../../../src/lib/sleep.ts";
import type { Backend, BackendCall } from "../../../src/upstream/backend.ts";
import { UNBOUNDED } from "../../support/routing.ts";

/**
 * How it does: it answers; it answers each key once in `LIMIT_MS` and refuses the other calls, saying when to come again; it fails; it
 * says nothing until it is cut; or it sends what no answer is, and then goes on saying nothing.
 */
export type Mood = "well" | "limiting" | "failing" | "silent" | "breaking";

/** How it does, from when on, in milliseconds since the start; the first one from 0 on. */
export type Schedule = readonly (readonly [number, Mood])[];

/** What a provider is made of. */
export interface MoodyParts {
  readonly id: string;
  readonly schedule: Schedule;
  /** Until a whole answer, or the first output of a stream. */
  readonly answerMs?: number;
  readonly credentials?: number;
  readonly concurrency?: ConcurrencySettings;
  /** List price of a million tokens, in nano-dollars; unset: it is not known. */
  readonly price?: bigint;
}

/** One attempt, as the provider sees it. Times are milliseconds since the start. */
export interface Visit {
  /** Which call it is. */
  readonly call: string;
  readonly key: number;
  readonly mood: Mood;
  readonly from: number;
  /** Unset while it is there. */
  to?: number;
  end?: "answered" | "failed" | "cut";
}

/** The provider, and what it has seen. */
export interface MoodyBackend {
  readonly backend: Backend;
  readonly name: string;
  readonly parts: MoodyParts;
  readonly visits: readonly Visit[];
  /** Whether it answers everything between two times. */
  isWell(from: number, to: number): boolean;
}

/** A key that is answered is not answered again for so long, while the provider limits. */
export const LIMIT_MS = 120;
/** How long a failure takes. */
export const FAILURE_MS = 30;
/** How long an answer takes as the usual. */
export const ANSWER_MS = 80;
const CHUNK_MS = 20;
const MODEL = "m";

/** Makes one. The text of a call's first message is which call it is. */
export function createMoodyBackend(parts: MoodyParts): MoodyBackend {
  const { id, schedule, answerMs = ANSWER_MS, credentials = 1, concurrency = UNBOUNDED, price } = parts;
  const start = Date.now();
  const visits: Visit[] = [];
  const answeredAt = new Array<number>(credentials).fill(Number.NEGATIVE_INFINITY);
  const moodAt = (at: number): Mood => (schedule.findLast(([from]) => from <= at) as Schedule[number])[1];
  const models = [
    create(ModelSchema, { id: MODEL, ...(price === undefined ? {} : { pricing: { input: price, output: price } }) }),
  ];

  const visit = ({ params }: BackendCall, key: number): Visit => {
    const kind = params.messages[0]?.content[0]?.kind;
    const from = Date.now() - start;
    const made: Visit = { call: String(kind?.value), key, mood: moodAt(from), from };
    visits.push(made);
    return made;
  };
  /** Comes to where the answer begins, or fails. */
  const begin = async ({ mood, key, from }: Visit, signal: AbortSignal): Promise<void> => {
    switch (mood) {
      case "well":
      case "breaking":
        return sleep(answerMs, signal);
      case "failing":
        await sleep(FAILURE_MS, signal);
        throw new GatewayError(Reason.UPSTREAM_ERROR, "it failed");
      case "silent":
        return sleep(Number.POSITIVE_INFINITY, signal);
      case "limiting": {
        const waitMs = LIMIT_MS - (from - (answeredAt[key] as number));
        if (waitMs <= 0) {
          answeredAt[key] = from;
          return sleep(answerMs, signal);
        }
        await sleep(FAILURE_MS, signal);
        throw new GatewayError(Reason.RATE_LIMIT_EXCEEDED, "too much", { retryAfterMs: waitMs });
      }
      default:
        return mood satisfies never;
    }
  };
  const leave = (made: Visit, signal: AbortSignal, isAnswered: boolean): void => {
    made.to = Date.now() - start;
    made.end = isAnswered ? "answered" : signal.aborted ? "cut" : "failed";
  };

  const complete = async (call: BackendCall, key: number, signal: AbortSignal): Promise<ChatCompletion> => {
    const made = visit(call, key);
    let isAnswered = false;
    try {
      await begin(made, signal);
      isAnswered = made.mood !== "breaking";
      const choice = create(ChoiceSchema, {
        message: { content: [{ kind: { case: "text", value: "a" } }] },
        finishReason: FinishReason.STOP,
      });
      return create(ChatCompletionSchema, { choices: isAnswered ? [choice] : [] });
    } finally {
      leave(made, signal, isAnswered);
    }
  };
  async function* stream(call: BackendCall, key: number, signal: AbortSignal): AsyncGenerator<ChatCompletionChunk[]> {
    const made = visit(call, key);
    let isAnswered = false;
    try {
      await begin(made, signal);
      if (made.mood === "breaking") {
        yield [create(ChatCompletionChunkSchema, { choices: [{ index: 7, delta: { content: "a" } }] })];
        await sleep(Number.POSITIVE_INFINITY, signal);
      }
      yield [create(ChatCompletionChunkSchema, { choices: [{ delta: { content: "a" } }] })];
      await sleep(CHUNK_MS, signal);
      isAnswered = true;
      yield [create(ChatCompletionChunkSchema, { choices: [{ delta: {}, finishReason: FinishReason.STOP }] })];
    } finally {
      leave(made, signal, isAnswered);
    }
  }

  const backend: Backend = {
    id,
    vendor: "generic",
    networked: true,
    address: undefined,
    credentials,
    concurrency,
    usageSource: UsageSource.PROVIDER,
    models: () => models,
    has: (model) => model === MODEL,
    abilitiesOf: () => ({}),
    plan: (call) => ({
      adjustments: [],
      promptTokens: undefined,
      describe: () => undefined,
      complete: (signal, { credential = 0 } = {}) => complete(call, credential, signal),
      stream: (signal, { credential = 0 } = {}) => stream(call, credential, signal),
    }),
  };
  return {
    backend,
    name: `${id}/${MODEL}`,
    parts,
    visits,
    isWell: (from, to) =>
      moodAt(Math.max(0, from)) === "well" && schedule.every(([at, mood]) => mood === "well" || at <= from || at > to),
  };
}
