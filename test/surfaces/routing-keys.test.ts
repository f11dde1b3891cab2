/** Several keys of one provider, and waits for a target that says when to come again. */
import { describe, expect, it } from "vitest";
import { callOn } from "../support/routed-call.ts";
import { answerOf, asking, MODES, type PlayedProvider, saying, stageForTest } from "../support/routing-stage.ts";
import { VENDORS, type Vendor } from "../support/stage-vendors.ts";
import { json, type Reply, type UpstreamRequest } from "../support/upstream.ts";
import { SECRET_WORDS } from "../support/vendor-stage.ts";

const [openai, anthropic] = VENDORS as readonly [Vendor, Vendor, Vendor];
const SECOND_KEY = "second-key-AbCd1234EfGh5678";

const KEY_HEADERS: Readonly<Record<Vendor["id"], string>> = {
  openai: "authorization",
  anthropic: "x-api-key",
  google: "x-goog-api-key",
};
const keyOf = ({ vendor }: PlayedProvider, { headers }: UpstreamRequest): string =>
  String(headers[KEY_HEADERS[vendor.id]]).replace(/^Bearer /, "");

const REFUSALS: Readonly<Record<Vendor["id"], readonly [string, number, string][]>> = {
  openai: [
    ["invalid_api_key", 401, "upstream_authentication_failed"],
    ["rate_limit_exceeded", 429, "rate_limit_exceeded"],
    ["insufficient_quota", 429, "upstream_quota_exhausted"],
  ],
  anthropic: [
    ["authentication_error", 401, "upstream_authentication_failed"],
    ["rate_limit_error", 429, "rate_limit_exceeded"],
    ["billing_error", 402, "upstream_quota_exhausted"],
  ],
  google: [
    ["UNAUTHENTICATED", 401, "upstream_authentication_failed"],
    ["RESOURCE_EXHAUSTED", 429, "rate_limit_exceeded"],
  ],
};

const refusing = ({ error }: Vendor, [word, status]: readonly [string, number, ...unknown[]], headers = {}): Reply => {
  const reply = json(error(word, SECRET_WORDS), status);
  return { ...reply, headers: { ...reply.headers, ...headers } };
};

describe("the first of two keys", () => {
  it.each(
    VENDORS.flatMap((vendor) => REFUSALS[vendor.id].map((refusal) => ({ vendor, refusal, what: refusal[2] }))),
  )("of $vendor.id: $what makes the second one answer, and rests", async ({ vendor, refusal }) => {
    for (const streaming of [false, true]) {
      const stage = await stageForTest([{ vendor, keys: [SECOND_KEY] }]);
      const provider = stage.provider(vendor.id);
      const answer = saying(vendor, answerOf(vendor.id));
      provider.plays((it) => (keyOf(provider, it) === vendor.key ? refusing(vendor, refusal) : answer(it)));
      const target = `${vendor.id}/${stage.newModel()}`;
      const [rest, ...others] = stage.doors;
      if (rest === undefined) throw new Error("there are doors");
      const first = await callOn(rest, asking(target), { streaming });
      expect([first.text, first.error]).toEqual([answerOf(vendor.id), undefined]);
      expect(first.tried).toEqual([`${target}=${refusal[2]}`, `${target}=succeeded`]);
      for (const door of others) {
        const { report, text } = await callOn(door, asking(target), { streaming });
        expect([text, report?.attempts.map(({ credential }) => credential)]).toEqual([answerOf(vendor.id), [1]]);
      }
      const used = provider.calls.map((it) => keyOf(provider, it));
      expect(used).toEqual([vendor.key, SECOND_KEY, SECOND_KEY, SECOND_KEY, SECOND_KEY]);
    }
  });

  it.each(MODES)("$mode: the report says with which key each attempt was made", async ({ name, streaming }) => {
    const stage = await stageForTest([{ vendor: openai, keys: [SECOND_KEY] }]);
    const provider = stage.provider("openai");
    const answer = saying(openai, answerOf("openai"));
    provider.plays((it) =>
      keyOf(provider, it) === openai.key ? refusing(openai, ["invalid_api_key", 401]) : answer(it),
    );
    const target = `openai/${stage.newModel()}`;
    const { moves, report, tried } = await callOn(stage.door(name), asking(target), { streaming });
    expect(tried).toEqual([`${target}=upstream_authentication_failed`, `${target}=succeeded`]);
    expect(moves).toEqual(name === "rest" ? undefined : ["NEXT_CREDENTIAL", "UNSPECIFIED"]);
    expect(report?.attempts.map(({ credential }) => credential)).toEqual(name === "rest" ? undefined : [0, 1]);
  });

  it("and the second one, refused: each is tried once, however soon the provider would have another call", async () => {
    const stage = await stageForTest([{ vendor: openai, keys: [SECOND_KEY] }, { vendor: anthropic }]);
    const provider = stage.provider("openai");
    provider.plays(() => refusing(openai, ["rate_limit_exceeded", 429], { "retry-after-ms": "0" }));
    for (const [at, door] of stage.doors.entries()) {
      const model = stage.newModel();
      const options = { fallbackModels: [`anthropic/${model}`] };
      const { text, tried, error } = await callOn(door, asking(`openai/${model}`), { streaming: false, options });
      expect([text, error]).toEqual([answerOf("anthropic"), undefined]);
      const limited = `openai/${model}=rate_limit_exceeded`;
      expect(tried).toEqual([limited, limited, `anthropic/${model}=succeeded`]);
      const used = provider.calls.slice(2 * at).map((it) => keyOf(provider, it));
      expect(used).toEqual([openai.key, SECOND_KEY]);
    }
  });

  it("is not in what a call fails with", async () => {
    const stage = await stageForTest([{ vendor: openai, keys: [SECOND_KEY] }]);
    stage.provider("openai").plays((it) => {
      const { headers } = it;
      return json(openai.error("invalid_api_key", `bad key: ${String(headers["authorization"])}`), 401);
    });
    for (const door of stage.doors) {
      const { error, report, headers } = await callOn(door, asking(`openai/${stage.newModel()}`), { streaming: false });
      const told = [error?.message, JSON.stringify(report, (_, it) => (typeof it === "bigint" ? String(it) : it))];
      for (const secret of [openai.key, SECOND_KEY]) {
        expect(told.join(" ")).not.toContain(secret);
        expect(headers?.get("x-parley-attempts") ?? "").not.toContain(secret);
      }
      expect(error?.code).toBe("upstream_authentication_failed");
    }
  });
});

describe("a target that says when to come again", () => {
  const limitedFor = (seconds: string): Reply =>
    refusing(openai, ["rate_limit_exceeded", 429], { "retry-after": seconds });

  it("is waited for, where there is time", async () => {
    const stage = await stageForTest([{ vendor: openai }]);
    const provider = stage.provider("openai");
    const answer = saying(openai, answerOf("openai"));
    const asked = new Map<string, number[]>();
    provider.plays((it) => {
      const { model } = JSON.parse(it.body) as { model: string };
      const times = [...(asked.get(model) ?? []), performance.now()];
      asked.set(model, times);
      return times.length === 1 ? limitedFor("1") : answer(it);
    });
    await Promise.all(
      MODES.map(async ({ name, streaming }) => {
        const model = stage.newModel();
        const outcome = await callOn(stage.door(name), asking(`openai/${model}`), { streaming });
        expect([outcome.text, outcome.error]).toEqual([answerOf("openai"), undefined]);
        expect(outcome.tried).toEqual([`openai/${model}=rate_limit_exceeded`, `openai/${model}=succeeded`]);
        expect(outcome.moves).toEqual(name === "rest" ? undefined : ["RETRY", "UNSPECIFIED"]);
        const [first = 0, second = 0, ...more] = asked.get(model) ?? [];
        expect(more).toEqual([]);
        expect(second - first).toBeGreaterThanOrEqual(990);
      }),
    );
  });

  it.each([
    ["the call has no time for it", "3", { timeoutMs: 2_000 }],
    ["it is longer than calls wait", "11", {}],
  ])("is not waited for when %s", async (_, seconds, settings) => {
    const stage = await stageForTest([{ vendor: openai }]);
    const provider = stage.provider("openai");
    provider.plays(() => limitedFor(seconds));
    for (const { name, streaming } of MODES) {
      const [model, before, from] = [stage.newModel(), provider.calls.length, performance.now()];
      const { error, tried, moves } = await callOn(stage.door(name), asking(`openai/${model}`), {
        streaming,
        ...settings,
      });
      expect(performance.now() - from).toBeLessThan(1_900);
      expect([error?.code, error?.retryAfterMs]).toEqual(["rate_limit_exceeded", Number(seconds) * 1_000]);
      expect(tried).toEqual([`openai/${model}=rate_limit_exceeded`]);
      expect(moves).toEqual(name === "rest" ? undefined : ["GIVE_UP"]);
      expect(provider.calls.length).toBe(before + 1);
    }
  });
});
