/** What an explanation says of the targets of a call: the order, who is left out and why, and how they are. */
import { describe, expect, it } from "vitest";
import { Candidate_Breaker as Breaker } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { callOn } from "../support/routed-call.ts";
import { asking, candidatesOf, type RoutingStage, stageForTest } from "../support/routing-stage.ts";
import { VENDORS, type Vendor } from "../support/stage-vendors.ts";
import { openTyped, TYPED_DOORS } from "../support/typed-doors.ts";
import { json } from "../support/upstream.ts";

const [openai] = VENDORS as readonly [Vendor, Vendor, Vendor];
const PLAYERS = VENDORS.map((vendor) => ({ vendor }));
const FALLBACKS = ["anthropic/claude-2", "google/gemini-2.5-flash"];
const tool = { kind: { case: "function" as const, value: { name: "look" } } };

/** A candidate as REST's JSON has it. */
interface Told {
  readonly target: string;
  readonly answers_as: string;
  readonly rank: number;
  readonly exclusions: readonly { readonly reason: string; readonly path: string; readonly description: string }[];
  readonly breaker: string;
  readonly in_flight: number;
  readonly waiting: number;
  readonly latency?: string;
  readonly available_in?: string;
}

async function explainOnRest({ gateway }: RoutingStage, body: object, headers = {}): Promise<readonly Told[]> {
  const answer = await fetch(`${gateway.url}/v1/chat/completions/explain`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ messages: [{ role: "user", content: "Hi" }], ...body }),
  });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { candidates: readonly Told[] }).candidates;
}

describe("an explanation", () => {
  it("has the targets in their order, and those that are left out with the reason", async () => {
    const stage = await stageForTest(PLAYERS);
    const params = asking("openai/gpt-4o", { tools: [tool] });
    for (const door of TYPED_DOORS) {
      const { chat, close } = openTyped(door, stage.gateway.url);
      const answer = await chat.explainChatCompletion({ params, options: { fallbackModels: FALLBACKS } });
      close();
      expect([answer.provider, answer.model]).toEqual(["openai", "gpt-4o"]);
      expect(answer.estimatedPromptTokens).toBeGreaterThan(0);
      const told = answer.candidates.map(({ target, answersAs, rank }) => [target, answersAs, rank]);
      expect(told).toEqual([
        ["openai/gpt-4o", "openai/gpt-4o", 1],
        ["google/gemini-2.5-flash", "google/gemini-2.5-flash", 2],
        ["anthropic/claude-2", "anthropic/claude-2", 0],
      ]);
      const excluded = answer.candidates.map(({ exclusions }) => exclusions.map(({ reason, path }) => [reason, path]));
      expect(excluded).toEqual([[], [], [[Reason.UNSUPPORTED_PARAMETER, "tools"]]]);
    }
    expect(PLAYERS.map(({ vendor }) => stage.provider(vendor.id).calls.length)).toEqual([0, 0, 0]);
  });

  it("says the same on REST", async () => {
    const stage = await stageForTest(PLAYERS);
    const tools = [{ type: "function", function: { name: "look" } }];
    const headers = { "x-parley-fallback-models": FALLBACKS.join(", ") };
    const candidates = await explainOnRest(stage, { model: "openai/gpt-4o", tools }, headers);
    expect(candidates.map(({ target, rank }) => [target, rank])).toEqual([
      ["openai/gpt-4o", 1],
      ["google/gemini-2.5-flash", 2],
      ["anthropic/claude-2", 0],
    ]);
    const [last] = candidates.slice(-1);
    expect(last?.exclusions).toEqual([
      { reason: "unsupported_parameter", path: "tools", description: "the model does not call tools" },
    ]);
  });

  it("says how the targets are", async () => {
    const stage = await stageForTest(PLAYERS);
    const [fresh] = await candidatesOf(stage, "openai/m");
    expect([fresh?.breaker, fresh?.latency, fresh?.availableIn]).toEqual([Breaker.CLOSED, undefined, undefined]);
    await callOn(stage.door("rest"), asking("openai/m"), { streaming: false });
    const [known] = await candidatesOf(stage, "openai/m");
    expect(known?.latency).toBeDefined();
    const { resolve, promise } = Promise.withResolvers<void>();
    stage.provider("openai").plays(async () => {
      await promise;
      return json(openai.whole("done"));
    });
    const running = callOn(stage.door("grpc"), asking("openai/m"), { streaming: false });
    await stage.provider("openai").call(1);
    expect((await candidatesOf(stage, "openai/m"))[0]?.inFlight).toBe(1);
    resolve();
    await running;
    expect((await candidatesOf(stage, "openai/m"))[0]?.inFlight).toBe(0);
    const limited = json(openai.error("rate_limit_exceeded", ""), 429);
    stage.provider("openai").plays(() => ({ ...limited, headers: { ...limited.headers, "retry-after": "60" } }));
    await callOn(stage.door("connect"), asking("openai/m"), { streaming: false });
    const [resting] = await candidatesOf(stage, "openai/m");
    expect(Number(resting?.availableIn?.seconds)).toBeGreaterThan(50);
    const [told] = await explainOnRest(stage, { model: "openai/m" });
    expect(told).toMatchObject({ target: "openai/m", rank: 1, exclusions: [], in_flight: 0, waiting: 0 });
    expect(told?.available_in).toMatch(/^5\d(?:\.\d+)?s$/);
  });

  it("of a target that refuses the call says so, and who is asked in its place", async () => {
    const stage = await stageForTest(PLAYERS);
    const headers = { "x-parley-fallback-models": "openai/gpt-4o", "x-parley-strict": "true" };
    const candidates = await explainOnRest(stage, { model: "anthropic/claude-2", seed: 7 }, headers);
    expect(candidates.map(({ target, rank }) => [target, rank])).toEqual([
      ["openai/gpt-4o", 1],
      ["anthropic/claude-2", 0],
    ]);
    expect(candidates[1]?.exclusions[0]).toMatchObject({ reason: "unsupported_parameter", path: "seed" });
  });
});
