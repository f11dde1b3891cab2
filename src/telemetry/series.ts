/**
 * Our own sums and histograms. Where a measurement belongs is found once for all that are alike, and then it is two additions;
 * OpenTelemetry's instruments sort and hash the attributes of each. The SDK gets what came of them when somebody reads it.
 */
import type { Attributes } from "@opentelemetry/api";
import type { Histogram } from "@opentelemetry/sdk-metrics";

/** What one combination of attributes has come to. */
export interface Series<Value> {
  readonly attributes: Attributes;
  /** When its first measurement came, in Unix milliseconds. */
  readonly startMs: number;
  /** All of it. */
  total(): Value;
  /** What came since this was asked last; undefined: nothing. Only one reader can ask so. */
  take(): Value | undefined;
}

/** What values have come to that were measured. */
export type HistogramValue = Required<Histogram>;

/** Counts. */
export class SumSeries implements Series<number> {
  readonly attributes: Attributes;
  readonly startMs = Date.now();
  #taken = 0;
  #recent = 0;

  constructor(attributes: Attributes) {
    this.attributes = attributes;
  }

  add(count: number): void {
    this.#recent += count;
  }

  total(): number {
    return this.#taken + this.#recent;
  }

  take(): number | undefined {
    if (this.#recent === 0) return undefined;
    const recent = this.#recent;
    this.#taken += recent;
    this.#recent = 0;
    return recent;
  }
}

/** Counts values by the buckets that they fall into. */
export class HistogramSeries implements Series<HistogramValue> {
  readonly attributes: Attributes;
  readonly startMs = Date.now();
  readonly #boundaries: readonly number[];
  #taken: HistogramValue | undefined;
  #recent: HistogramValue;

  /** `boundaries`: the highest value of each bucket but the last, in ascending order. */
  constructor(attributes: Attributes, boundaries: readonly number[]) {
    this.attributes = attributes;
    this.#boundaries = boundaries;
    this.#recent = emptyHistogram(boundaries);
  }

  record(value: number): void {
    const recent = this.#recent;
    recent.count += 1;
    recent.sum += value;
    if (value < recent.min) recent.min = value;
    if (value > recent.max) recent.max = value;
    let bucket = 0;
    while (bucket < this.#boundaries.length && value > (this.#boundaries[bucket] as number)) bucket += 1;
    (recent.buckets.counts[bucket] as number) += 1;
  }

  total(): HistogramValue {
    return merge(this.#taken ?? emptyHistogram(this.#boundaries), this.#recent);
  }

  take(): HistogramValue | undefined {
    if (this.#recent.count === 0) return undefined;
    const recent = this.#recent;
    this.#taken = this.total();
    this.#recent = emptyHistogram(this.#boundaries);
    return recent;
  }
}

const emptyHistogram = (boundaries: readonly number[]): HistogramValue => ({
  count: 0,
  sum: 0,
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
  buckets: { boundaries: [...boundaries], counts: new Array<number>(boundaries.length + 1).fill(0) },
});

const merge = (before: HistogramValue, after: HistogramValue): HistogramValue => ({
  count: before.count + after.count,
  sum: before.sum + after.sum,
  min: Math.min(before.min, after.min),
  max: Math.max(before.max, after.max),
  buckets: {
    boundaries: after.buckets.boundaries,
    counts: after.buckets.counts.map((count, bucket) => count + (before.buckets.counts[bucket] as number)),
  },
});
