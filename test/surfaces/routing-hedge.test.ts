/** A second target beside one that is silent: the quicker one answers, and the other one is let go. */

import { setTimeout as sleep } from "node:timers/promises";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { until } from "../support/collect.ts";
import { DOORS } from "../support/doors.ts";
import { callOn } from "../support/routed-call.ts";
import {
  answerOf,
  asking,
  candidatesOf,
  MODES,
  type RoutingStage,
  saying,
  stageForTest,
} from "../support/routing-stage.ts";
import { VENDORS, type Vendor } from "../support/stage-vendors.ts";
import { json, type Reply } from "../support/upstream.ts";

const [openai, anthropic] = VENDORS as readonly [Vendor, Vendor, Vendor];
const PLAYERS = VENDORS.map((vendor) => ({ vendor }));
const SILENT: Reply = { status: "none", ending: "hold" };
const AFTER_MS = 100;
const hedging = (ms = AFTER_MS, ...others: readonly string[]) => ({
  fallbackModels: others.length === 0 ? ["anthropic/m"] : [...others],
  hedgeAfter: durationFromMs(ms),
});

describe("a call that hedges", () => {
  it.each(MODES)("$mode: takes the second where the first is silent", async ({ name, streaming }) => {
    const stage = await stageForTest(PLAYERS);
    const [first, second] = [stage.provider("openai"), stage.provider("anthropic")];
    first.plays(() => SILENT);
    let askedAt = 0;
    second.plays((request) => {
      askedAt = performance.now();
      return saying(anthropic, answerOf("anthropic"))(request);
    });
    const from = performance.now();
    const outcome = await callOn(stage.door(name), asking("openai/m"), { streaming, options: hedging() });
    expect([outcome.text, outcome.completion?.model]).toEqual([answerOf("anthropic"), "anthropic/m"]);
    expect(outcome.tried).toEqual(["openai/m=superseded", "anthropic/m=succeeded"]);
    expect(askedAt - from).toBeGreaterThan(AFTER_MS - 5);
    await (await first.call(0)).closed;
    const hedges = outcome.report?.attempts.map(({ hedge }) => hedge);
    expect(hedges).toEqual(name === "rest" ? undefined : [false, true]);
  });

  it.each(MODES)("$mode: takes the first where it is the quicker one after all", async ({ name, streaming }) => {
    const stage = await stageForTest(PLAYERS);
    const [first, second] = [stage.provider("openai"), stage.provider("anthropic")];
    second.plays(() => SILENT);
    first.plays(async (request) => {
      await second.call(0);
      return saying(openai, answerOf("openai"))(request);
    });
    const outcome = await callOn(stage.door(name), asking("openai/m"), { streaming, options: hedging() });
    expect([outcome.text, outcome.completion?.model]).toEqual([answerOf("openai"), "openai/m"]);
    expect(outcome.tried).toEqual(["openai/m=succeeded", "anthropic/m=superseded"]);
    await (await second.call(0)).closed;
  });

  it.each(MODES)("$mode: asks one where it answers in time", async ({ name, streaming }) => {
    const stage = await stageForTest(PLAYERS);
    const outcome = await callOn(stage.door(name), asking("openai/m"), { streaming, options: hedging(5_000) });
    expect(outcome.tried).toEqual(["openai/m=succeeded"]);
    expect(stage.provider("anthropic").calls.length).toBe(0);
  });

  it.each(DOORS)("%s: goes on with the one that does not fail", async (name) => {
    const stage = await stageForTest(PLAYERS);
    const [first, second] = [stage.provider("openai"), stage.provider("anthropic")];
    first.plays(async () => {
      await second.call(0);
      return json(openai.error("server_error", ""), 500);
    });
    second.plays(async (request) => {
      const hasFailed = async () => (await candidatesOf(stage, "openai/m"))[0]?.inFlight === 0;
      await until(hasFailed, "the first one has failed");
      return saying(anthropic, answerOf("anthropic"))(request);
    });
    const outcome = await callOn(stage.door(name), asking("openai/m"), { streaming: true, options: hedging() });
    expect(outcome.text).toBe(answerOf("anthropic"));
    expect(outcome.tried).toEqual(["openai/m=upstream_error", "anthropic/m=succeeded"]);
    expect(outcome.moves).toEqual(name === "rest" ? undefined : ["NEXT_TARGET", "UNSPECIFIED"]);
  });

  /** One call is on its way to the target, and takes its only place. Returns how to end it. */
  const occupy = async (stage: RoutingStage, id: string): Promise<() => Promise<unknown>> => {
    const client = new AbortController();
    stage.provider(id).plays(() => SILENT);
    const busy = callOn(stage.door("connect"), asking(`${id}/m`), { streaming: true, signal: client.signal });
    const left = busy.catch(() => undefined);
    await stage.provider(id).call(0);
    stage.provider(id).plays();
    return () => {
      client.abort();
      return left;
    };
  };
  const NARROW = [openai, anthropic].map((vendor) => ({ vendor, concurrency: { max_in_flight: 1, max_queue: 1 } }));

  it.each(MODES)("$mode: does not queue to ask a second", async ({ name, streaming }) => {
    const stage = await stageForTest(NARROW);
    const leave = await occupy(stage, "anthropic");
    stage.provider("openai").plays(async (request) => {
      await sleep(3 * AFTER_MS);
      return saying(openai, answerOf("openai"))(request);
    });
    const outcome = await callOn(stage.door(name), asking("openai/m"), { streaming, options: hedging() });
    expect(outcome.tried).toEqual(["openai/m=succeeded"]);
    expect((await candidatesOf(stage, "anthropic/m")).map(({ waiting }) => waiting)).toEqual([0]);
    await leave();
  });

  it.each(MODES)("$mode: leaves the queue of the first when the second answers", async ({ name, streaming }) => {
    const stage = await stageForTest(NARROW);
    const [leaveFirst, leaveSecond] = [await occupy(stage, "openai"), await occupy(stage, "anthropic")];
    const asked = callOn(stage.door(name), asking("openai/m"), { streaming, options: hedging(400) });
    await until(async () => (await candidatesOf(stage, "openai/m"))[0]?.waiting === 1, "it queues for the first");
    await leaveSecond();
    const outcome = await asked;
    expect([outcome.text, ...outcome.tried]).toEqual([answerOf("anthropic"), "anthropic/m=succeeded"]);
    const [first] = await candidatesOf(stage, "openai/m");
    expect([first?.inFlight, first?.waiting]).toEqual([1, 0]);
    await leaveFirst();
  });

  it.each(DOORS)("%s: takes no long time for none", async (name) => {
    const stage = await stageForTest(PLAYERS);
    const forty = 40 * 86_400_000;
    const outcome = await callOn(stage.door(name), asking("openai/m"), { streaming: false, options: hedging(forty) });
    expect(outcome.tried).toEqual(["openai/m=succeeded"]);
    expect(stage.provider("anthropic").calls.length).toBe(0);
  });
});
