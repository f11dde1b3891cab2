import { formatTable } from "../bench/table.ts";
import { DOORS } from "../support/doors.ts";
import { thirdsOf } from "./memory.ts";
import type { SoakResult, TimedSample } from "./soak.ts";

/** The figures of a soak, as tables. */
export function formatResult(result: SoakResult): string {
  const { calls, deeds, attempts, moves, samples, before, after } = result;
  const outcomes = countBy(calls.map(({ outcome }) => outcome));
  const doors = DOORS.map((door) => {
    const through = calls.filter((call) => call.door === door);
    const answered = through.filter(({ outcome }) => outcome === "answered").length;
    return [door, through.length, through.filter(({ streaming }) => streaming).length, answered] as const;
  });
  const moveOf = (name: string): number => moves.get(name) ?? 0;
  return [
    formatTable(["door", "calls", "streams", "answered"], doors),
    formatTable(["outcome of a call", "calls"], rowsOf(outcomes)),
    formatTable(["what an upstream did", "requests"], rowsOf(deeds)),
    formatTable(["outcome of an attempt", "attempts"], rowsOf(attempts)),
    formatTable(
      ["figure", "count"],
      [
        ["retries at the same target", moveOf("retry")],
        ["moves to the next key", moveOf("next_credential")],
        ["moves to the next target", moveOf("next_target")],
        ["hedges", result.hedges],
        ["breaker openings", result.openings],
        ["reloads taken", result.reloads.ok],
        ["reloads refused", result.reloads.refused],
        ["explanations and lists of models", result.questions],
        ["calls that nothing explains", result.unexplained],
        ["broken invariants", result.violations.length],
      ],
    ),
    formatTable(
      ["process", "heap MB", "RSS MB", "sockets", "timers", "listeners"],
      [
        ["before the calls", ...figuresOf(before)],
        ...minutesOf(samples).map((sample) => [`minute ${Math.round(sample.at / 60_000)}`, ...figuresOf(sample)]),
        ["after the calls", ...figuresOf(after)],
      ],
    ),
    formatTable(
      ["figure", "value"],
      [
        ...thirdRows(samples),
        ["event loop delay p99, ms", after.delayP99],
        ["event loop delay max, ms", after.delayMax],
      ],
    ),
  ].join("\n\n");
}

const MB = 2 ** 20;

function figuresOf({ heapUsed, rss, resources, listeners }: TimedSample): readonly number[] {
  const { TCPSocketWrap: sockets = 0, Timeout: timers = 0 } = resources;
  return [heapUsed / MB, rss / MB, sockets, timers, listeners];
}

/** The samples that are the first ones after minutes 1, 4, 7, 10 and so on. */
function minutesOf(samples: readonly TimedSample[]): readonly TimedSample[] {
  const found: TimedSample[] = [];
  const last = samples.at(-1);
  for (let at = 60_000; last !== undefined && at <= last.at + 15_000; at += 180_000) {
    found.push(samples.find((sample) => sample.at >= at) ?? last);
  }
  return found;
}

function thirdRows(samples: readonly TimedSample[]): [string, number][] {
  const thirds = thirdsOf(samples);
  if (thirds === undefined) return [];
  return [
    ["heap in the first third, MB", thirds.first / MB],
    ["heap in the last third, MB", thirds.last / MB],
  ];
}

function countBy(words: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

const rowsOf = (counts: ReadonlyMap<string, number>): [string, number][] =>
  [...counts].sort(([, one], [, other]) => other - one);
