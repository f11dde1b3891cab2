import { Counter, Histogram } from "./instrument.ts";

/** What the metrics of finished calls are recorded with. */
export interface Instruments {
  readonly callDuration: Histogram;
  readonly operationDuration: Histogram;
  readonly timeToFirstChunk: Histogram;
  readonly tokenUsage: Histogram;
  readonly attempts: Counter;
  readonly adjustments: Counter;
  readonly reloads: Counter;
}

/** Bounds of buckets that the conventions for generative AI advise. */
const SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864];

/** Makes all instruments, in the order in which they are shown. */
export const createInstruments = (): Instruments => ({
  callDuration: new Histogram(
    { name: "parley.call.duration", unit: "s", description: "Duration of calls, from arrival to end." },
    SECONDS,
  ),
  operationDuration: new Histogram(
    { name: "gen_ai.client.operation.duration", unit: "s", description: "GenAI operation duration." },
    SECONDS,
  ),
  timeToFirstChunk: new Histogram(
    {
      name: "gen_ai.client.operation.time_to_first_chunk",
      unit: "s",
      description: "Time to receive the first chunk of a stream.",
    },
    SECONDS,
  ),
  tokenUsage: new Histogram(
    { name: "gen_ai.client.token.usage", unit: "{token}", description: "Number of input and output tokens used." },
    TOKENS,
  ),
  attempts: new Counter({
    name: "parley.attempts",
    unit: "{attempt}",
    description: "Tries to get an answer from a target.",
  }),
  adjustments: new Counter({
    name: "parley.adjustments",
    unit: "{adjustment}",
    description: "Parameters that a model could not take as they were.",
  }),
  reloads: new Counter({
    name: "parley.config.reloads",
    unit: "{reload}",
    description: "Times that the configuration was read again.",
  }),
});
