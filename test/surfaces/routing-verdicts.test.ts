/** What an error of the first target means for the next: to end, to move on, or to move on to a larger one only. */
import { describe, expect, it } from "vitest";
import { DOORS } from "../support/doors.ts";
import { callOn } from "../support/routed-call.ts";
import {
  answerOf,
  asking,
  MODES,
  openRoutingStage,
  type RoutingStage,
  useRoutingStage,
} from "../support/routing-stage.ts";
import { VENDORS, type Vendor } from "../support/stage-vendors.ts";
import { json, type Reply } from "../support/upstream.ts";
import { SECRET_WORDS } from "../support/vendor-stage.ts";

const [openai, anthropic, google] = VENDORS as readonly [Vendor, Vendor, Vendor];
const error = (status: number, word: string, message = SECRET_WORDS): Reply =>
  json(openai.error(word, message), status);

describe("an error that others would give, too", () => {
  const stage = useRoutingStage([{ vendor: openai }, { vendor: anthropic }]);

  it.each([
    { what: "HTTP 400", reply: error(400, "invalid_value"), reason: "invalid_request" },
    { what: "a content filter", reply: error(400, "content_filter"), reason: "content_filtered" },
    { what: "HTTP 422", reply: error(422, "invalid_value"), reason: "unprocessable" },
  ])("$what ends the call", async ({ reply, reason }) => {
    const second = stage().provider("anthropic");
    stage()
      .provider("openai")
      .plays(() => reply);
    const before = second.calls.length;
    for (const { name, streaming } of MODES) {
      const model = stage().newModel();
      const options = { fallbackModels: [`anthropic/${model}`] };
      const outcome = await callOn(stage().door(name), asking(`openai/${model}`), { streaming, options });
      expect(outcome.error?.message).toContain("openai");
      expect(outcome.tried).toEqual([`openai/${model}=${reason}`]);
      expect(outcome.moves).toEqual(name === "rest" ? undefined : ["GIVE_UP"]);
    }
    expect(second.calls.length).toBe(before);
  });

  it("is what the caller is told, also when another target failed before", async () => {
    stage()
      .provider("anthropic")
      .plays(() => json(anthropic.error("api_error", SECRET_WORDS), 500));
    stage()
      .provider("openai")
      .plays(() => error(400, "invalid_value"));
    for (const { name, streaming } of MODES) {
      const model = stage().newModel();
      const options = { fallbackModels: [`openai/${model}`] };
      const outcome = await callOn(stage().door(name), asking(`anthropic/${model}`), { streaming, options });
      expect(outcome.tried).toEqual([`anthropic/${model}=upstream_error`, `openai/${model}=invalid_request`]);
      expect(outcome.error?.code).toBe("invalid_value");
    }
  });
});

describe("an error of the target's own", () => {
  it.each([
    { what: "HTTP 401", reply: error(401, "invalid_api_key"), reason: "upstream_authentication_failed" },
    { what: "HTTP 402", reply: error(402, "insufficient_quota"), reason: "upstream_quota_exhausted" },
    { what: "HTTP 403", reply: error(403, "permission_denied", "no such model for you"), reason: "permission_denied" },
    { what: "HTTP 404", reply: error(404, "model_not_found"), reason: "model_not_found" },
    { what: "HTTP 413", reply: error(413, "request_too_large"), reason: "request_too_large" },
    { what: "HTTP 501", reply: error(501, "not_built"), reason: "not_implemented" },
  ])("$what makes the next target answer, and is final for this one", async ({ reply, reason }) => {
    for (const streaming of [false, true]) {
      await withStages([{ vendor: openai }, { vendor: anthropic }], async (stage, name) => {
        stage.provider("openai").plays(() => reply);
        const model = stage.newModel();
        const options = { fallbackModels: [`anthropic/${model}`] };
        const outcome = await callOn(stage.door(name), asking(`openai/${model}`), { streaming, options });
        expect([outcome.text, outcome.error]).toEqual([answerOf("anthropic"), undefined]);
        expect(outcome.tried).toEqual([`openai/${model}=${reason}`, `anthropic/${model}=succeeded`]);
        expect(outcome.moves).toEqual(name === "rest" ? undefined : ["NEXT_TARGET", "UNSPECIFIED"]);
      });
    }
  });
});

/** Runs something on a gateway of its own for each door: some errors are remembered of a provider. */
async function withStages(
  players: Parameters<typeof openRoutingStage>[0],
  run: (stage: RoutingStage, name: (typeof DOORS)[number]) => Promise<void>,
): Promise<void> {
  await Promise.all(
    DOORS.map(async (name) => {
      const stage = await openRoutingStage(players);
      try {
        await run(stage, name);
      } finally {
        await stage.close();
      }
    }),
  );
}

describe("messages that are too long for a target", () => {
  const windows = (sizes: Readonly<Record<string, number>>): object => ({
    models: Object.entries(sizes).map(([name, inputTokenLimit]) => ({
      name: `models/${name}`,
      inputTokenLimit,
      supportedGenerationMethods: ["generateContent"],
    })),
  });
  const stage = useRoutingStage([
    { vendor: google, list: windows({ small: 1_000, smaller: 500, large: 9_000 }) },
    { vendor: openai },
  ]);
  const TOO_LONG = json(google.error("INVALID_ARGUMENT", "The input token count (9) exceeds the maximum"), 400);

  it.each(MODES)("$mode: are for a larger one, or one of unknown size", async ({ name, streaming }) => {
    stage()
      .provider("google")
      .plays(() => TOO_LONG);
    const options = { fallbackModels: ["google/smaller", "google/large", "openai/unknown"] };
    const outcome = await callOn(stage().door(name), asking("google/small"), { streaming, options });
    const tooLong = "context_length_exceeded";
    expect(outcome.text).toBe(answerOf("openai"));
    expect(outcome.tried).toEqual([`google/small=${tooLong}`, `google/large=${tooLong}`, "openai/unknown=succeeded"]);
  });

  it.each(DOORS)("%s: are refused when there is none", async (name) => {
    stage()
      .provider("google")
      .plays(() => TOO_LONG);
    const options = { fallbackModels: ["google/smaller"] };
    const { error: told, tried } = await callOn(stage().door(name), asking("google/small"), {
      streaming: false,
      options,
    });
    expect(tried).toEqual(["google/small=context_length_exceeded"]);
    expect(told?.code).toBe("context_length_exceeded");
  });
});
