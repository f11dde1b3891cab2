/** Places at a target, and the breaker that keeps calls from one that fails. */
import { describe, expect, it } from "vitest";
import { Candidate_Breaker as Breaker } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { Attempt_Outcome } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { until } from "../support/collect.ts";
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
import { json } from "../support/upstream.ts";

const [openai, anthropic] = VENDORS as readonly [Vendor, Vendor, Vendor];
const NARROW = [{ vendor: openai, concurrency: { max_in_flight: 1, max_queue: 1 } }, { vendor: anthropic }];

/** The target answers only when it is told to. Returns how to tell it. */
function holdBack(stage: RoutingStage): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  stage.provider("openai").plays(async (request) => {
    await promise;
    return saying(openai, answerOf("openai"))(request);
  });
  return resolve;
}

const isQueued = async (stage: RoutingStage, waiting: number): Promise<void> =>
  until(async () => (await candidatesOf(stage, "openai/m"))[0]?.waiting === waiting, `${waiting} in the queue`);

describe("a target with one place, and room for one that waits", () => {
  it.each(MODES)("$mode: answers one after the other, and refuses the third", async ({ name, streaming }) => {
    const stage = await stageForTest(NARROW);
    const answer = holdBack(stage);
    const call = () => callOn(stage.door(name), asking("openai/m"), { streaming });
    const first = call();
    await stage.provider("openai").call(0);
    const second = call();
    await isQueued(stage, 1);
    const { error, tried } = await call();
    expect([error?.code, error?.retryAfterMs]).toEqual(["no_available_upstream", 1_000]);
    expect(error?.status).toBe(name === "rest" ? 503 : 14);
    expect(tried).toEqual([]);
    expect(stage.provider("openai").calls.length).toBe(1);
    answer();
    const outcomes = await Promise.all([first, second]);
    expect(outcomes.map(({ text }) => text)).toEqual([answerOf("openai"), answerOf("openai")]);
    const [early, late] = outcomes.map(({ report }) => report?.attempts[0]?.timeInQueue !== undefined);
    expect([early, late]).toEqual(name === "rest" ? [false, false] : [false, true]);
    expect(stage.provider("openai").calls.length).toBe(2);
    const [candidate] = await candidatesOf(stage, "openai/m");
    expect([candidate?.inFlight, candidate?.waiting]).toEqual([0, 0]);
  });

  it.each(MODES)("$mode: is passed over where another target has a place", async ({ name, streaming }) => {
    const stage = await stageForTest(NARROW);
    const answer = holdBack(stage);
    const first = callOn(stage.door("rest"), asking("openai/m"), { streaming });
    await stage.provider("openai").call(0);
    const options = { fallbackModels: ["anthropic/m"] };
    const { text, tried, moves } = await callOn(stage.door(name), asking("openai/m"), { streaming, options });
    expect(text).toBe(answerOf("anthropic"));
    expect(tried).toEqual(["openai/m=skipped", "anthropic/m=succeeded"]);
    expect(moves).toEqual(name === "rest" ? undefined : ["NEXT_TARGET", "UNSPECIFIED"]);
    answer();
    await first;
  });

  it.each(MODES)("$mode: forgets one that waits when its deadline passes", async ({ name, streaming }) => {
    const stage = await stageForTest(NARROW);
    const answer = holdBack(stage);
    const first = callOn(stage.door("rest"), asking("openai/m"), { streaming });
    await stage.provider("openai").call(0);
    const { error, tried } = await callOn(stage.door(name), asking("openai/m"), { streaming, timeoutMs: 200 });
    expect([error?.code, ...tried]).toEqual(["timeout"]);
    await isQueued(stage, 0);
    answer();
    expect((await first).text).toBe(answerOf("openai"));
    expect(stage.provider("openai").calls.length).toBe(1);
  });
});

/** Times that a test can wait for. */
const QUICK = {
  breaker: { failureRatio: 0.5, window: 20, minCalls: 5, openMs: 300, maxOpenMs: 300 },
  maxWaitMs: 0,
  maxRetries: 0,
};
const failing = () => json(openai.error("server_error", ""), 500);

/** Calls the target until no call is let through any more. */
async function breakOpen(stage: RoutingStage): Promise<void> {
  stage.provider("openai").plays(failing);
  for (const { name, streaming } of MODES.slice(0, 5)) {
    const { error } = await callOn(stage.door(name), asking("openai/m"), { streaming });
    expect(error?.code).toBe("upstream_error");
  }
  const isOpen = async () => (await candidatesOf(stage, "openai/m"))[0]?.breaker === Breaker.OPEN;
  await until(isOpen, "an open breaker");
}

describe("a target that fails", () => {
  it("gets no calls for a while; one call tries it then, and its success lets all through", async () => {
    const stage = await stageForTest(
      VENDORS.map((vendor) => ({ vendor })),
      { routing: { ...QUICK, breaker: { ...QUICK.breaker, openMs: 2_000, maxOpenMs: 2_000 } } },
    );
    const provider = stage.provider("openai");
    await breakOpen(stage);
    const before = provider.calls.length;
    for (const { name, streaming } of MODES) {
      const { error, tried } = await callOn(stage.door(name), asking("openai/m"), { streaming });
      expect(error?.code).toBe("no_available_upstream");
      expect(error?.retryAfterMs).toBeGreaterThan(0);
      expect(error?.retryAfterMs).toBeLessThanOrEqual(2_000);
      expect(tried).toEqual([]);
    }
    const options = { fallbackModels: ["anthropic/m"] };
    for (const { name, streaming } of MODES) {
      const { text, tried, report } = await callOn(stage.door(name), asking("openai/m"), { streaming, options });
      expect(text).toBe(answerOf("anthropic"));
      expect(tried).toEqual(["openai/m=skipped", "anthropic/m=succeeded"]);
      const [skipped] = report?.attempts ?? [];
      expect([skipped?.outcome, skipped?.reason]).toEqual(
        name === "rest" ? [undefined, undefined] : [Attempt_Outcome.SKIPPED, Reason.NO_AVAILABLE_UPSTREAM],
      );
    }
    expect(provider.calls.length).toBe(before);
    const answer = holdBack(stage);
    const isReady = async () => (await candidatesOf(stage, "openai/m"))[0]?.availableIn === undefined;
    await until(isReady, "the time is over");
    const trial = callOn(stage.door("grpc"), asking("openai/m"), { streaming: true });
    await provider.call(before);
    const [candidate] = await candidatesOf(stage, "openai/m");
    expect(candidate?.breaker).toBe(Breaker.HALF_OPEN);
    const beside = await callOn(stage.door("rest"), asking("openai/m"), { streaming: false });
    expect(beside.error?.code).toBe("no_available_upstream");
    answer();
    expect((await trial).text).toBe(answerOf("openai"));
    for (const { name, streaming } of MODES) {
      expect((await callOn(stage.door(name), asking("openai/m"), { streaming })).error).toBeUndefined();
    }
  });

  it.each(MODES)("$mode: is tried again by the next call when the one that tried it is given up", async ({
    name,
    streaming,
  }) => {
    const stage = await stageForTest([{ vendor: openai }], { routing: QUICK });
    const provider = stage.provider("openai");
    await breakOpen(stage);
    const before = provider.calls.length;
    provider.plays(() => ({ status: "none", ending: "hold" }));
    const isReady = async () => (await candidatesOf(stage, "openai/m"))[0]?.availableIn === undefined;
    await until(isReady, "the time is over");
    const client = new AbortController();
    const trial = callOn(stage.door(name), asking("openai/m"), { streaming, signal: client.signal }).catch(
      () => undefined,
    );
    await (await provider.call(before)).connection;
    client.abort();
    await trial;
    await until(() => stage.gateway.openCalls === 0, "no open call");
    provider.plays();
    const { error } = await callOn(stage.door(name), asking("openai/m"), { streaming });
    expect(error).toBeUndefined();
    expect((await candidatesOf(stage, "openai/m"))[0]?.breaker).toBe(Breaker.CLOSED);
  });

  it("stays away for longer when it fails again", async () => {
    const stage = await stageForTest([{ vendor: openai }], {
      routing: { ...QUICK, breaker: { ...QUICK.breaker, openMs: 200, maxOpenMs: 60_000 } },
    });
    const provider = stage.provider("openai");
    await breakOpen(stage);
    const [first] = await candidatesOf(stage, "openai/m");
    expect(first?.availableIn?.nanos ?? 0).toBeLessThanOrEqual(200_000_000);
    const before = provider.calls.length;
    const isTried = async () => {
      await callOn(stage.door("rest"), asking("openai/m"), { streaming: false });
      return provider.calls.length > before;
    };
    await until(isTried, "one call tries it");
    const { error } = await callOn(stage.door("rest"), asking("openai/m"), { streaming: false });
    expect(error?.code).toBe("no_available_upstream");
    expect(error?.retryAfterMs).toBeGreaterThan(200);
  });
});
