import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { connectionsOfOne, shareOfWorker } from "../../src/workers/share.ts";
import { loadText } from "../config/load.ts";

const text = `
runs: { workers: 5 }
providers:
  - { id: a, openai_compatible: { base_url: "http://127.0.0.1:1/v1" }, concurrency: { max_in_flight: 7, max_queue: 3 } }
`;

describe("shareOfWorker()", () => {
  it("divides what bounds all workers together, so that the sum is the whole", async () => {
    const settings = { ...(await loadText(text)), workers: 3 };
    const shares = [1, 2, 3].map((worker) => shareOfWorker(settings, worker));
    expect(shares.map(({ runs }) => runs.workers)).toEqual([2, 2, 1]);
    expect(shares.map(({ providers }) => providers[0]?.concurrency)).toEqual([
      { maxInFlight: 3, maxQueue: 1 },
      { maxInFlight: 2, maxQueue: 1 },
      { maxInFlight: 2, maxQueue: 1 },
    ]);
  });

  it("gives each worker a place at each model, and leaves all else as it is", async () => {
    const settings = { ...(await loadText(text)), workers: 200 };
    const { runs, providers, ...rest } = shareOfWorker(settings, 200);
    expect(runs).toEqual({ ...settings.runs, workers: 0 });
    expect(providers).toEqual([{ ...settings.providers[0], concurrency: { maxInFlight: 1, maxQueue: 0 } }]);
    expect({ ...rest, runs: 0, providers: 0 }).toEqual({ ...settings, runs: 0, providers: 0 });
  });

  it("has the whole as its sum, for any number of workers that is not above it", async () => {
    const settings = await loadText(text);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 256 }), fc.integer({ min: 256, max: 1_000_000 }), (workers, whole) => {
        const all = { ...settings, workers, runs: { ...settings.runs, workers: whole } };
        const shares = Array.from({ length: workers }, (_, at) => shareOfWorker(all, at + 1).runs.workers);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(whole);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("connectionsOfOne()", () => {
  it.each([
    [1, 10],
    [2, 5],
    [4, 2],
    [64, 2],
  ])("of %i workers has %i connections", (workers, connections) => {
    expect(connectionsOfOne(workers)).toBe(connections);
  });
});
