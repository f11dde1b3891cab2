/** Clients that leave: the provider's socket is closed at once, as the provider sees it, on every door and for every vendor. */
import { describe, expect, it } from "vitest";
import { failureOf, until } from "../support/collect.ts";
import { DOORS, type DoorClient, openDoor } from "../support/doors.ts";
import { VENDORS, type Vendor } from "../support/stage-vendors.ts";
import { eventStream, type Reply } from "../support/upstream.ts";
import { ask, useVendorStage } from "../support/vendor-stage.ts";

/** Within this time, of the best of some tries, as the machine may be busy with something else. */
const WITHIN_MS = 50;
const TRIES = 5;

const SILENT: Reply = { status: "none", ending: "hold" };
const stalled = ({ opening, said }: Vendor): Reply => eventStream([...opening, said("Hello")], "hold");

/** Time for what the upstream sends to arrive. When it takes longer, the client leaves a little earlier. */
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

/** A moment at which a client may leave: what the provider has said by then, and how the client gets there. */
interface Moment {
  readonly when: string;
  readonly answer: (vendor: Vendor) => Reply;
  readonly arrive: (
    door: DoorClient,
    vendor: Vendor,
    signal: AbortSignal,
  ) => { ready: Promise<unknown>; ended: Promise<unknown> };
}

const whole: Moment["arrive"] = (door, vendor, signal) => ({
  ready: soon(),
  ended: failureOf(door.complete(ask(vendor), { signal })),
});
const unheard: Moment["arrive"] = (door, vendor, signal) => ({
  ready: soon(),
  ended: failureOf(untilSaid(door, vendor, signal)),
});
const heard: Moment["arrive"] = (door, vendor, signal) => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const ended = failureOf(untilSaid(door, vendor, signal, resolve));
  void ended.then(reject);
  return { ready: promise, ended };
};

/** Reads a stream; tells when its text has come. */
async function untilSaid(door: DoorClient, vendor: Vendor, signal: AbortSignal, said?: () => void): Promise<void> {
  for await (const { choices } of door.stream(ask(vendor), { signal })) if (choices[0]?.delta?.content) said?.();
}

const MOMENTS: readonly Moment[] = [
  { when: "a whole call before its head", answer: () => SILENT, arrive: whole },
  {
    when: "a whole call within its body",
    answer: () => ({ headers: { "content-type": "application/json" }, pieces: ['{"id":'], ending: "hold" }),
    arrive: whole,
  },
  {
    when: "a whole call within its failure",
    answer: () => ({ status: 500, headers: { "content-type": "application/json" }, pieces: ['{"e'], ending: "hold" }),
    arrive: whole,
  },
  { when: "a stream before its head", answer: () => SILENT, arrive: unheard },
  { when: "a stream before its first event", answer: () => eventStream([], "hold"), arrive: unheard },
  { when: "a stream before its first output", answer: ({ ping }) => eventStream([ping], "hold"), arrive: unheard },
  { when: "a stream midway", answer: stalled, arrive: heard },
];

describe.each(VENDORS)("a client that leaves $id", (vendor) => {
  const stage = useVendorStage();

  /** Leaves so at that moment; milliseconds until the upstream sees its socket closed. */
  async function leaveOnce(name: DoorClient["name"], { arrive }: Moment, isHard: boolean): Promise<number> {
    const door = openDoor(name, stage.gateway().url);
    const client = new AbortController();
    const next = stage.nextCall();
    const { ready, ended } = arrive(door, vendor, client.signal);
    const request = await next;
    await ready;
    const leftAt = performance.now();
    if (isHard) door.close();
    else client.abort();
    const closedAt = await request.closed;
    expect(await ended).toBeInstanceOf(Error);
    door.close();
    return closedAt - leftAt;
  }

  async function leave(name: DoorClient["name"], moment: Moment, isHard: boolean): Promise<number> {
    let best = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < TRIES && best > WITHIN_MS; tries++)
      best = Math.min(best, await leaveOnce(name, moment, isHard));
    return best;
  }

  describe.each(MOMENTS)("$when", (moment) => {
    it.each(DOORS)("%s: by ending the call", async (name) => {
      stage.answer(moment.answer(vendor));
      expect(await leave(name, moment, false)).toBeLessThanOrEqual(WITHIN_MS);
      await until(() => stage.gateway().lines.at(-1)?.["reason"] === "CANCELLED", "a line that says so");
    });

    it.each(DOORS)("%s: by closing its connection", async (name) => {
      stage.answer(moment.answer(vendor));
      expect(await leave(name, moment, true)).toBeLessThanOrEqual(WITHIN_MS);
    });
  });

  it.each(DOORS)("%s: by reading no further", async (name) => {
    stage.answer(stalled(vendor));
    let best = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < TRIES && best > WITHIN_MS; tries++) {
      const next = stage.nextCall();
      let leftAt = 0;
      for await (const { choices } of stage.door(name).stream(ask(vendor))) {
        leftAt = performance.now();
        if (choices[0]?.delta?.content) break;
      }
      best = Math.min(best, (await (await next).closed) - leftAt);
    }
    expect(best).toBeLessThanOrEqual(WITHIN_MS);
  });

  it.each(DOORS)("%s: leaves nobody else's call", async (name) => {
    stage.answer(stalled(vendor));
    const [leaves, stays] = [new AbortController(), new AbortController()];
    const calls = stage.upstream().requests.length;
    const leaving = heard(stage.door(name), vendor, leaves.signal);
    const left = await stage.upstream().request(calls);
    const staying = heard(stage.door(name), vendor, stays.signal);
    const stayed = await stage.upstream().request(calls + 1);
    await Promise.all([leaving.ready, staying.ready]);
    leaves.abort();
    await Promise.all([leaving.ended, left.closed]);
    const open = soon().then(() => "open");
    expect(await Promise.race([staying.ended, stayed.closed, open])).toBe("open");
    stays.abort();
    await Promise.all([staying.ended, stayed.closed]);
  });
});
