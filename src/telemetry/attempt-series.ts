import type { Attributes } from "@opentelemetry/api";
import type { AttemptRecord } from "./attempt-record.ts";
import {
  type AttemptTarget,
  attemptErrorType,
  moveOf,
  operationAttributes,
  outcomeOf,
  targetAttributes,
} from "./attributes.ts";
import type { Instruments } from "./instruments.ts";
import type { HistogramSeries, SumSeries } from "./series.ts";

/** Where the measurements of attempts belong that are alike in all attributes. A series is made when it is to be given something. */
export class AttemptSeries {
  readonly count: SumSeries;
  readonly #instruments: Instruments;
  readonly #attributes: Attributes;
  readonly #error: Attributes;
  #duration: HistogramSeries | undefined;
  #timeToFirstChunk: HistogramSeries | undefined;
  #promptTokens: HistogramSeries | undefined;
  #completionTokens: HistogramSeries | undefined;

  /** `attempt`: one of them. */
  constructor(instruments: Instruments, attempt: AttemptRecord, target: AttemptTarget) {
    const errorType = attemptErrorType(attempt);
    const move = moveOf(attempt);
    this.#instruments = instruments;
    this.#attributes = operationAttributes(target);
    this.#error = errorType === undefined ? {} : { "error.type": errorType };
    this.count = instruments.attempts.at({
      ...targetAttributes(target),
      "parley.attempt.outcome": outcomeOf(attempt),
      ...(move === undefined ? {} : { "parley.attempt.move": move }),
      ...this.#error,
    });
  }

  get duration(): HistogramSeries {
    this.#duration ??= this.#instruments.operationDuration.at({ ...this.#attributes, ...this.#error });
    return this.#duration;
  }

  get timeToFirstChunk(): HistogramSeries {
    this.#timeToFirstChunk ??= this.#instruments.timeToFirstChunk.at(this.#attributes);
    return this.#timeToFirstChunk;
  }

  get promptTokens(): HistogramSeries {
    this.#promptTokens ??= this.#tokens("input");
    return this.#promptTokens;
  }

  get completionTokens(): HistogramSeries {
    this.#completionTokens ??= this.#tokens("output");
    return this.#completionTokens;
  }

  #tokens(type: "input" | "output"): HistogramSeries {
    return this.#instruments.tokenUsage.at({ ...this.#attributes, "gen_ai.token.type": type });
  }
}
