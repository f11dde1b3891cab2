import type { Attributes } from "@opentelemetry/api";
import { HistogramSeries, type Series, SumSeries } from "./series.ts";

/** Most combinations of attributes that an instrument keeps apart; what is beyond goes to one with `otel.metric.overflow`. */
export const CARDINALITY_LIMIT = 2_000;

const OVERFLOW: Attributes = { "otel.metric.overflow": true };

/** How an instrument is called. */
export interface InstrumentName {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
}

/** What is counted or measured under one name, apart by its attributes. */
abstract class Instrument<S extends Series<unknown>> {
  readonly descriptor: InstrumentName;
  readonly #series = new Map<string, S>();

  constructor(descriptor: InstrumentName) {
    this.descriptor = descriptor;
  }

  /** The series of these attributes, which are always in the same order. One that is made by this is to be given something. */
  at(attributes: Attributes): S {
    const key = JSON.stringify(attributes);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= CARDINALITY_LIMIT - 1 && attributes !== OVERFLOW) return this.at(OVERFLOW);
    const made = this.make(attributes);
    this.#series.set(key, made);
    return made;
  }

  /** All series, in the order in which they began. */
  get series(): Iterable<S> {
    return this.#series.values();
  }

  protected abstract make(attributes: Attributes): S;
}

/** Counts. */
export class Counter extends Instrument<SumSeries> {
  readonly type = "COUNTER";

  protected override make(attributes: Attributes): SumSeries {
    return new SumSeries(attributes);
  }
}

/** Measures. */
export class Histogram extends Instrument<HistogramSeries> {
  readonly type = "HISTOGRAM";
  readonly #boundaries: readonly number[];

  /** `boundaries`: the highest value of each bucket but the last, in ascending order. */
  constructor(descriptor: InstrumentName, boundaries: readonly number[]) {
    super(descriptor);
    this.#boundaries = boundaries;
  }

  protected override make(attributes: Attributes): HistogramSeries {
    return new HistogramSeries(attributes, this.#boundaries);
  }
}
