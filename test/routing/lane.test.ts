import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLane, type Lane } from "../../src/routing/lane.ts";
import { settled } from "./support/targets.ts";

const NEVER = new AbortController().signal;
/** Waits, and writes down when it has its place, or what it was rejected with. */
function waitFor(lane: Lane, name: string, log: string[], signal: AbortSignal = NEVER): void {
  lane.wait(signal).then(
    () => log.push(name),
    (reason) => log.push(`${name}: ${reason}`),
  );
}
const counts = ({ inFlight, waiting }: Lane) => [inFlight, waiting];

describe("createLane()", () => {
  it("has so many places", () => {
    const lane = createLane({ maxInFlight: 2, maxQueue: 0 });
    expect([lane.take(), lane.hasPlace, lane.take(), lane.hasPlace, lane.take()]).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    lane.leave(1);
    expect([...counts(lane), lane.hasPlace]).toEqual([1, 0, true]);
  });

  it("gives a place on to the one that waited longest", async () => {
    const lane = createLane({ maxInFlight: 1, maxQueue: 3 });
    const log: string[] = [];
    lane.take();
    for (const name of ["first", "second", "third"]) waitFor(lane, name, log);
    expect(counts(lane)).toEqual([1, 3]);
    lane.leave(1);
    lane.leave(1);
    await settled();
    expect([log, counts(lane)]).toEqual([
      ["first", "second"],
      [1, 1],
    ]);
  });

  it("lets a call go that gives up, and the others move up", async () => {
    const lane = createLane({ maxInFlight: 1, maxQueue: 3 });
    const log: string[] = [];
    const client = new AbortController();
    lane.take();
    waitFor(lane, "first", log, client.signal);
    waitFor(lane, "second", log);
    client.abort("gone");
    lane.leave(1);
    await settled();
    expect([log, counts(lane)]).toEqual([
      ["first: gone", "second"],
      [1, 0],
    ]);
  });

  it("does not let a call wait that is over", async () => {
    const lane = createLane({ maxInFlight: 1, maxQueue: 1 });
    const log: string[] = [];
    waitFor(lane, "late", log, AbortSignal.abort("gone"));
    await settled();
    expect([log, counts(lane)]).toEqual([["late: gone"], [0, 0]]);
  });

  it("leaves no listener behind", async () => {
    const lane = createLane({ maxInFlight: 1, maxQueue: 2 });
    const [served, gone] = [new AbortController(), new AbortController()];
    lane.take();
    waitFor(lane, "served", [], served.signal);
    waitFor(lane, "gone", [], gone.signal);
    gone.abort("gone");
    lane.leave(1);
    await settled();
    expect([served, gone].map(({ signal }) => getEventListeners(signal, "abort").length)).toEqual([0, 0]);
  });

  it("has room for as many as may wait", () => {
    const lane = createLane({ maxInFlight: 1, maxQueue: 1 });
    lane.take();
    expect(lane.hasRoomFor(1)).toBe(true);
    waitFor(lane, "a", []);
    expect(lane.hasRoomFor(1_000_000)).toBe(false);
  });

  it("has no room for a call that would be over before its turn, by how long places are held", () => {
    const lane = createLane({ maxInFlight: 2, maxQueue: 10 });
    // The usual time comes to 100 ms.
    for (let call = 0; call < 200; call++) {
      lane.take();
      lane.leave(100);
    }
    lane.take();
    lane.take();
    expect([lane.hasRoomFor(60), lane.hasRoomFor(40)]).toEqual([true, false]);
    waitFor(lane, "a", []);
    expect([lane.hasRoomFor(110), lane.hasRoomFor(90)]).toEqual([true, false]);
  });

  it("learns nothing from places that were not used", () => {
    const lane = createLane({ maxInFlight: 1, maxQueue: 10 });
    for (let call = 0; call < 200; call++) {
      lane.take();
      lane.leave(100);
    }
    for (let call = 0; call < 200; call++) {
      lane.take();
      lane.leave(undefined);
    }
    lane.take();
    expect(lane.hasRoomFor(90)).toBe(false);
  });

  it("never has more calls than places, and loses none, whoever comes, leaves and gives up", async () => {
    const step = fc.record({ what: fc.constantFrom("come", "come", "leave", "give up"), which: fc.nat() });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(step, { maxLength: 80 }),
        async (maxInFlight, steps) => {
          const lane = createLane({ maxInFlight, maxQueue: 1_000 });
          let placed = 0;
          let waiting: AbortController[] = [];
          for (const { what, which } of steps) {
            if (what === "come" && lane.take()) placed += 1;
            else if (what === "come") {
              const client = new AbortController();
              waiting.push(client);
              lane.wait(client.signal).then(
                () => {
                  placed += 1;
                  waiting = waiting.filter((it) => it !== client);
                },
                () => {
                  waiting = waiting.filter((it) => it !== client);
                },
              );
            } else if (what === "leave" && placed > 0) {
              placed -= 1;
              lane.leave(1);
            } else if (what === "give up") waiting[which % Math.max(1, waiting.length)]?.abort("gone");
            await settled();
            expect(counts(lane)).toEqual([placed, waiting.length]);
            expect(placed).toBeLessThanOrEqual(maxInFlight);
            expect(waiting.length === 0 || placed === maxInFlight).toBe(true);
          }
        },
      ),
    );
  });
});
