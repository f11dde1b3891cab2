/** Providers that keep a caller waiting: every bound ends the call with its typed error, and closes the upstream's socket. */
import { describe, expect, it } from "vitest";
import { collect, failureOf } from "../support/collect.ts";
import { DOORS, type DoorClient } from "../support/doors.ts";
import { expectTold, ROWS } from "../support/error-rows.ts";
import { fold } from "../support/fold.ts";
import { VENDORS, type Vendor } from "../support/stage-vendors.ts";
import { eventStream, type Reply, type UpstreamRequest } from "../support/upstream.ts";
import { ask, useVendorStage, type VendorStage } from "../support/vendor-stage.ts";

const SILENT: Reply = { status: "none", ending: "hold" };
const BEGUN: Reply = { headers: { "content-type": "application/json" }, pieces: ['{"id":'], ending: "hold" };
const FAILING: Reply = {
  status: 500,
  headers: { "content-type": "application/json" },
  pieces: ['{"e'],
  ending: "hold",
};
const stalled = ({ opening, said }: Vendor): Reply => eventStream([...opening, said("Hello")], "hold");

/** Pieces, and between them, for as long as the request is open, a sign of life every 20 ms. */
async function* withPings({ ping }: Vendor, first: readonly string[], forMs: number, last: readonly string[] = []) {
  yield* first;
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    yield ping;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  yield* last;
}

/** A call that fails in time, as the upstream sees it, too. */
async function expectEnd(
  stage: VendorStage,
  call: (door: DoorClient) => Promise<unknown>,
  { vendor, message, hasBegun = false }: { vendor: Vendor; message: string; hasBegun?: boolean },
): Promise<void> {
  const ends = DOORS.map(async (name) => {
    const door = stage.door(name);
    expectTold(door, await failureOf(call(door)), vendor.id, { ...ROWS.timeout, message }, hasBegun);
  });
  const first = stage.upstream().requests.length;
  const requests = await Promise.all(DOORS.map((_, index) => stage.upstream().request(first + index)));
  await Promise.all(ends);
  await Promise.all(requests.map(({ closed }: UpstreamRequest) => closed));
}

describe.each(VENDORS)("a deadline of the caller, with $id", (vendor) => {
  const stage = useVendorStage();
  const timeoutMs = 500;
  const message = "the call did not end within its deadline of 500 ms";
  const WHOLE: readonly (readonly [string, Reply])[] = [
    ["before the head", SILENT],
    ["within the body", BEGUN],
    ["within the body of a failure", FAILING],
  ];

  it.each(WHOLE)("ends a whole call %s", async (_when, reply) => {
    stage.answer(reply);
    await expectEnd(stage, (door) => door.complete(ask(vendor), { timeoutMs }), { vendor, message });
  });

  it.each([
    ["before the head", SILENT],
    ["before the first event", eventStream([], "hold")],
  ])("ends a stream %s", async (_when, reply) => {
    stage.answer(reply);
    await expectEnd(stage, (door) => collect(door.stream(ask(vendor), { timeoutMs })), { vendor, message });
  });

  it("ends a stream after its first output", async () => {
    stage.answer(stalled(vendor));
    const call = (door: DoorClient) => collect(door.stream(ask(vendor), { timeoutMs }));
    await expectEnd(stage, call, { vendor, message, hasBegun: true });
  });

  it("ends a stream that says all the time that it lives", async () => {
    stage.answer(() => eventStream(withPings(vendor, [...vendor.opening, vendor.said("Hello")], 60_000), "hold"));
    const call = (door: DoorClient) => collect(door.stream(ask(vendor), { timeoutMs }));
    await expectEnd(stage, call, { vendor, message, hasBegun: true });
  });
});

describe.each(VENDORS)("the gateway's bound for a whole call, with $id", (vendor) => {
  const stage = useVendorStage({ timeouts: { totalMs: 400 } });
  const message = "the call did not end within its deadline of 400 ms";

  it("ends what has no deadline of its own", async () => {
    stage.answer(SILENT);
    await expectEnd(stage, (door) => door.complete(ask(vendor)), { vendor, message });
    await expectEnd(stage, (door) => collect(door.stream(ask(vendor))), { vendor, message });
  });
});

describe.each(VENDORS)("the bound for the first output, with $id", (vendor) => {
  const stage = useVendorStage({ timeouts: { firstChunkMs: 400 } });
  const message = "the model sent nothing for 400 ms";

  it("ends a stream that is silent", async () => {
    for (const reply of [SILENT, eventStream([], "hold")]) {
      stage.answer(reply);
      await expectEnd(stage, (door) => collect(door.stream(ask(vendor))), { vendor, message });
    }
  });

  it("ends a stream that only says that it lives", async () => {
    stage.answer(() => eventStream(withPings(vendor, [], 60_000), "hold"));
    await expectEnd(stage, (door) => collect(door.stream(ask(vendor))), { vendor, message });
  });

  it("ends a stream that has begun, and says no word", async () => {
    stage.answer(() => eventStream(withPings(vendor, vendor.opening, 60_000), "hold"));
    // A role is no output, and is not passed on before there is some.
    await expectEnd(stage, (door) => collect(door.stream(ask(vendor))), { vendor, message });
  });
});

describe.each(VENDORS)("the bound between outputs, with $id", (vendor) => {
  const stage = useVendorStage({ timeouts: { idleMs: 1_000 } });

  it("ends a stream that stalls", async () => {
    stage.answer(stalled(vendor));
    const told = { vendor, message: "the model sent nothing for 1000 ms", hasBegun: true };
    await expectEnd(stage, (door) => collect(door.stream(ask(vendor))), told);
  });

  it("does not end a stream that says that it lives", async () => {
    const { opening, said, ending } = vendor;
    stage.answer(() => eventStream(withPings(vendor, [...opening, said("Hel")], 2_000, [said("lo"), ...ending])));
    const answers = await Promise.all(DOORS.map((name) => collect(stage.door(name).stream(ask(vendor)))));
    const texts = answers.map((chunks) => fold(chunks).choices[0]?.message?.content[0]?.kind.value);
    expect(texts).toEqual(DOORS.map(() => "Hello"));
  });
});
