import type { Deed } from "./deeds.ts";

/** What an upstream did with one request, as it saw it itself. Times are those of `performance.now()`. */
export interface UpstreamRecord {
  /** Number of the call whose prompt it was asked with. */
  readonly call: number;
  /** Such as "alpha/large". */
  readonly target: string;
  readonly deed: Deed;
  /** The whole text of its answer, whether it came to say all of it or not. No other request's answer has a part of it. */
  readonly text: string;
  readonly startedAt: number;
  /** When the first piece of its text was sent; undefined: none was. */
  saidAt: number | undefined;
  /** When it had said all that it was to say, or its connection was closed; undefined while neither has happened. */
  endedAt: number | undefined;
  /** Whether its connection was closed before it had said all that it was to say. */
  wasLeft: boolean;
}

/** All that the upstreams did. */
export interface Ledger {
  readonly records: readonly UpstreamRecord[];
  add(record: UpstreamRecord): void;
  /** What was asked of upstreams for a call, in order. */
  of(call: number): readonly UpstreamRecord[];
  /**
   * The most calls that a target may have had at once at some moment of that time. To who asks it, a call is there from before its request
   * has arrived until after its answer has left: by so many milliseconds, each way.
   */
  mostAtOnce(target: string, from: number, to: number, travelMs: number): number;
}

/** Makes an empty one. */
export function createLedger(): Ledger {
  const records: UpstreamRecord[] = [];
  const byCall = new Map<number, UpstreamRecord[]>();
  return {
    records,
    add(record) {
      records.push(record);
      const found = byCall.get(record.call);
      if (found === undefined) byCall.set(record.call, [record]);
      else found.push(record);
    },
    of: (call) => byCall.get(call) ?? [],
    mostAtOnce(target, from, to, travelMs) {
      const times = records
        .filter((record) => record.target === target)
        .map(({ startedAt, endedAt = Number.POSITIVE_INFINITY }) => [startedAt - travelMs, endedAt + travelMs] as const)
        .filter(([start, end]) => start <= to && end >= from);
      const countAt = (at: number): number => times.filter(([start, end]) => start <= at && at <= end).length;
      return Math.max(0, ...times.map(([start]) => countAt(Math.max(from, start))));
    },
  };
}
