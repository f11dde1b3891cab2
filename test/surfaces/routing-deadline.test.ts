/** One deadline for all attempts, and clients that go away: nothing goes on upstream, and nothing is kept. */
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { until } from "../support/collect.ts";
import { DOORS, type DoorClient } from "../support/doors.ts";
import { callOn, type Outcome, type RoutedCall } from "../support/routed-call.ts";
import { asking, candidatesOf, isStreamed, MODES, type RoutingStage, stageForTest } from "../support/routing-stage.ts";
import { VENDORS, type Vendor } from "../support/stage-vendors.ts";
import { eventStream, json, type Reply } from "../support/upstream.ts";

const [openai, anthropic] = VENDORS as readonly [Vendor, Vendor, Vendor];
const PLAYERS = VENDORS.map((vendor) => ({ vendor }));
const SILENT: Reply = { status: "none", ending: "hold" };
const HEAD_ONLY: Reply = { headers: { "content-type": "application/json" }, ending: "hold" };

describe("a deadline of 2 s, and three targets that are silent", () => {
  /** Milliseconds that each of the calls took: one of each kind on each door, all at once. */
  const timesOf = (stage: RoutingStage): Promise<number[]> =>
    Promise.all(
      MODES.map(async ({ name, streaming }) => {
        const model = stage.newModel();
        const options = { fallbackModels: [`anthropic/${model}`, `google/${model}`] };
        const from = performance.now();
        const call = { streaming, timeoutMs: 2_000, options };
        const { error, tried, moves } = await callOn(stage.door(name), asking(`openai/${model}`), call);
        const ms = performance.now() - from;
        expect(error?.code).toBe("timeout");
        const silent = ["openai", "anthropic"].map((id) => `${id}/${model}=deadline_exceeded`);
        expect(tried).toEqual([...silent, `google/${model}=cancelled`]);
        expect(moves).toEqual(name === "rest" ? undefined : ["NEXT_TARGET", "NEXT_TARGET", "UNSPECIFIED"]);
        return ms;
      }),
    );

  it("ends the call at 2 s, with all of its connections", async () => {
    const stage = await stageForTest(PLAYERS);
    for (const { name, streaming } of MODES) await callOn(stage.door(name), asking("google/warm"), { streaming });
    const warm = stage.provider("google").calls.length;
    stage.provider("openai").plays(() => SILENT);
    stage
      .provider("anthropic")
      .plays((it) => (isStreamed(it) ? eventStream([anthropic.ping, ...anthropic.opening], "hold") : HEAD_ONLY));
    stage.provider("google").plays(() => SILENT);
    let best = Number.POSITIVE_INFINITY;
    let rounds = 0;
    // The machine may be busy with something else.
    while (best >= 50 && rounds < 3) {
      rounds += 1;
      for (const ms of await timesOf(stage)) {
        expect(ms).toBeGreaterThan(1_900);
        expect(ms).toBeLessThan(5_000);
        best = Math.min(best, Math.abs(ms - 2_000));
      }
    }
    expect(best).toBeLessThan(50);
    for (const { vendor } of PLAYERS) {
      const calls = stage.provider(vendor.id).calls.slice(vendor.id === "google" ? warm : 0);
      expect(calls.length).toBe(MODES.length * rounds);
      await Promise.all(calls.map(({ closed }) => closed));
    }
  });
});

/** Makes a call, and lets its client go when something has come about. */
async function leaving(
  door: DoorClient,
  model: string,
  call: RoutedCall,
  when: () => Promise<unknown>,
): Promise<Outcome | undefined> {
  const client = new AbortController();
  const outcome = callOn(door, asking(model), { ...call, signal: client.signal }).catch(() => undefined);
  await when();
  client.abort();
  return outcome;
}

async function expectUntouched(stage: RoutingStage, model: string, fallbacks: readonly string[]): Promise<void> {
  await until(() => stage.gateway.openCalls === 0, "no open call");
  const candidates = await candidatesOf(stage, model, fallbacks);
  expect(candidates.map(({ inFlight, waiting }) => [inFlight, waiting])).toEqual(candidates.map(() => [0, 0]));
  expect(candidates.map(({ breaker }) => breaker)).toEqual(candidates.map(() => 1));
}

const calledOff = (stage: RoutingStage, count: number) =>
  until(() => stage.gateway.lines.filter(({ reason }) => reason === "CANCELLED").length === count, "lines that say so");

describe("a client that goes away", () => {
  it.each(MODES)("$mode: while a target is silent", async ({ name, streaming }) => {
    const stage = await stageForTest(PLAYERS);
    const first = stage.provider("openai");
    first.plays(() => SILENT);
    const options = { fallbackModels: ["anthropic/m"] };
    await leaving(stage.door(name), "openai/m", { streaming, options }, () => first.call(0));
    await (await first.call(0)).closed;
    await expectUntouched(stage, "openai/m", options.fallbackModels);
    await calledOff(stage, 1);
    expect([first.calls.length, stage.provider("anthropic").calls.length]).toEqual([1, 0]);
    const line = stage.gateway.lines.find(({ reason }) => reason === "CANCELLED");
    expect(line?.["attempts"]).toEqual([expect.stringMatching(/^openai\/m=cancelled;ms=\d+$/)]);
  });

  it.each(MODES)("$mode: while the call waits for a target", async ({ name, streaming }) => {
    const stage = await stageForTest(PLAYERS);
    const first = stage.provider("openai");
    const limited = json(openai.error("rate_limit_exceeded", ""), 429);
    first.plays(() => ({ ...limited, headers: { ...limited.headers, "retry-after": "5" } }));
    const waiting = async () => {
      await first.call(0);
      const isLimited = async () => (await candidatesOf(stage, "openai/m", []))[0]?.availableIn !== undefined;
      await until(isLimited, "the failure is known");
    };
    await leaving(stage.door(name), "openai/m", { streaming }, waiting);
    await expectUntouched(stage, "openai/m", []);
    await calledOff(stage, 1);
    expect(first.calls.length).toBe(1);
  });

  it.each(MODES)("$mode: while the call waits in a queue", async ({ name, streaming }) => {
    const stage = await stageForTest([{ vendor: openai, concurrency: { max_in_flight: 1, max_queue: 1 } }]);
    const first = stage.provider("openai");
    first.plays(() => SILENT);
    const isQueued = async () => (await candidatesOf(stage, "openai/m", []))[0]?.waiting === 1;
    const free = async (): Promise<boolean> => !(await isQueued());
    const served = leaving(stage.door("grpc"), "openai/m", { streaming }, async () => {
      await first.call(0);
      await leaving(stage.door(name), "openai/m", { streaming }, () => until(isQueued, "a call in the queue"));
      await until(free, "an empty queue");
    });
    await served;
    await (await first.call(0)).closed;
    await expectUntouched(stage, "openai/m", []);
    expect(first.calls.length).toBe(1);
  });

  it.each(MODES)("$mode: while two targets are asked", async ({ name, streaming }) => {
    const stage = await stageForTest(PLAYERS);
    const [first, second] = [stage.provider("openai"), stage.provider("anthropic")];
    first.plays(() => SILENT);
    second.plays(() => SILENT);
    const options = { fallbackModels: ["anthropic/m", "google/m"], hedgeAfter: durationFromMs(20) };
    await leaving(stage.door(name), "openai/m", { streaming, options }, () => second.call(0));
    await Promise.all([(await first.call(0)).closed, (await second.call(0)).closed]);
    await expectUntouched(stage, "openai/m", options.fallbackModels);
    expect([first.calls.length, second.calls.length, stage.provider("google").calls.length]).toEqual([1, 1, 0]);
  });

  it("twenty times has held nothing against the target", async () => {
    const stage = await stageForTest(PLAYERS);
    const first = stage.provider("openai");
    first.plays(() => SILENT);
    await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        leaving(stage.door(DOORS[at % 4] as DoorClient["name"]), "openai/m", { streaming: at % 2 === 0 }, () =>
          first.call(19),
        ),
      ),
    );
    await expectUntouched(stage, "openai/m", []);
    first.plays();
    const { error } = await callOn(stage.door("rest"), asking("openai/m"), { streaming: false });
    expect(error).toBeUndefined();
  });
});
