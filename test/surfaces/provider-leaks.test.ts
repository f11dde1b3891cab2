/** Many calls that fail or are dropped at any moment, on all doors and of all vendors: nothing is left of them. */
import { queryObjects } from "node:v8";
import { describe, expect, it } from "vitest";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { collect, until } from "../support/collect.ts";
import { DOORS } from "../support/doors.ts";
import { VENDORS, type Vendor } from "../support/stage-vendors.ts";
import { eventStream, json, type Reply } from "../support/upstream.ts";
import { ask, useVendorStage } from "../support/vendor-stage.ts";

/** How many calls are made, and how many of them at once. */
const CALLS = 300;
const AT_ONCE = 30;

const REPLIES: readonly ((vendor: Vendor) => Reply)[] = [
  () => ({ status: "none", ending: "hold" }),
  () => ({ status: "none", ending: "reset" }),
  ({ opening, said }) => eventStream([...opening, said("Hello")], "hold"),
  ({ opening, said }) => eventStream([...opening, said("Hello")], "reset"),
  ({ opening, said, ending }) => eventStream([...opening, said("Hello"), ...ending]),
  ({ error, overloaded }) => json(error(overloaded, "Overloaded"), 503),
  ({ error, overloaded }) => ({ ...json(error(overloaded, "Overloaded"), 503), ending: "hold" }),
  ({ whole }) => json(whole("Hello")),
];

describe("calls that fail or are dropped", () => {
  const stage = useVendorStage();

  it("leave no call, socket, timer or signal behind", async () => {
    stage.answer(({ path, body }) => {
      const vendor = VENDORS.find(({ id }) => path.startsWith(`/${id}/`)) as Vendor;
      const which = Number(/whisper-(\d+)-/.exec(body)?.[1] ?? 0);
      return (REPLIES[which % REPLIES.length] as (typeof REPLIES)[number])(vendor);
    });
    const makeCall = async (index: number): Promise<void> => {
      const client = new AbortController();
      const timer = setTimeout(() => client.abort(), (index * 7) % 40);
      const vendor = VENDORS[index % VENDORS.length] as Vendor;
      const door = stage.door(DOORS[(index >> 1) % DOORS.length] as (typeof DOORS)[number]);
      const text = { kind: { case: "text" as const, value: `whisper-${(index * 13) >> 3}-` } };
      const params = ask(vendor, { messages: [{ role: Role.USER, content: [text] }] });
      const settings = { signal: client.signal };
      const call = index % 2 === 0 ? door.complete(params, settings) : collect(door.stream(params, settings));
      await call.catch(() => undefined);
      clearTimeout(timer);
    };
    const makeCalls = async (): Promise<void> => {
      for (let done = 0; done < CALLS; done += AT_ONCE)
        await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => makeCall(done + index)));
      await until(() => stage.gateway().openCalls === 0, "no open call");
      // Those that can serve again are closed after four seconds.
      await until(() => stage.upstream().openConnections === 0, "no connection to the upstream");
    };
    await makeCalls();
    const timersBefore = countTimers();
    const signalsBefore = countSignals();
    await makeCalls();
    await until(() => countTimers() <= timersBefore, `no more than ${timersBefore} timers`);
    await until(() => countSignals() < signalsBefore + AT_ONCE, `about ${signalsBefore} signals`);
    expect(stage.upstream().requests.length).toBeGreaterThan(CALLS);
  }, 60_000);
});

/** Signals that something still refers to; those that nothing does are collected first. */
const countSignals = (): number => queryObjects(AbortSignal, { format: "count" });
const countTimers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
