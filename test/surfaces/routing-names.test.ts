/** What names of models stand for: names of one's own, fallbacks, "auto", and ids that several providers list. */
import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { DOORS, type Params } from "../support/doors.ts";
import { callOn } from "../support/routed-call.ts";
import { answerOf, asking, candidatesOf, MODES, saying, useRoutingStage } from "../support/routing-stage.ts";
import { VENDORS, type Vendor } from "../support/stage-vendors.ts";
import { json } from "../support/upstream.ts";

const [openai, anthropic, google] = VENDORS as readonly [Vendor, Vendor, Vendor];
const PLAYERS = VENDORS.map((vendor) => ({ vendor }));

describe("a name with weights", () => {
  const targets = ["openai/a", "anthropic/b", "google/c"];
  const models = [{ id: "house", targets, weights: { "openai/a": 3, "anthropic/b": 1 } }];
  const stage = useRoutingStage(PLAYERS, { models });

  it("begins with each target as often as it weighs", async () => {
    const calls = 400;
    const providers = PLAYERS.map(({ vendor }) => stage().provider(vendor.id));
    for (let at = 0; at < calls; at += MODES.length) {
      await Promise.all(
        MODES.map(async ({ name, streaming }) => {
          const { completion } = await callOn(stage().door(name), asking("house"), { streaming });
          expect(completion?.model).toBe("house");
        }),
      );
    }
    const [heavy = 0, light = 0, none] = providers.map((it) => it.calls.length);
    expect([heavy + light, none]).toEqual([calls, 0]);
    // Five standard deviations.
    expect(Math.abs(heavy - 300)).toBeLessThan(45);
  });

  it.each(MODES)("$mode: asks the others after it, and answers as the name", async ({ name, streaming }) => {
    stage()
      .provider("openai")
      .plays(() => json(openai.error("server_error", ""), 500));
    stage()
      .provider("anthropic")
      .plays(() => json(anthropic.error("api_error", ""), 500));
    const { text, completion, tried } = await callOn(stage().door(name), asking("house"), { streaming });
    expect([text, completion?.model]).toEqual([answerOf("google"), "house"]);
    expect(tried.slice(0, 2).toSorted()).toEqual(["anthropic/b=upstream_error", "openai/a=upstream_error"]);
    expect(tried.slice(2)).toEqual(["google/c=succeeded"]);
  });
});

describe("a name with a policy", () => {
  const priced = [
    { id: "dear", pricing: { prompt: "0.00001", completion: "0.00003" } },
    { id: "cheap", pricing: { prompt: "0.000001", completion: "0.000002" } },
  ];
  const players = [{ vendor: openai, list: { object: "list", data: priced } }, { vendor: anthropic }];
  const stage = useRoutingStage(players, {
    models: [
      { id: "cheap", targets: ["openai/unpriced", "openai/dear", "openai/cheap"], policy: "cost" },
      { id: "quick", targets: ["openai/x", "anthropic/x"], policy: "latency" },
    ],
  });

  it.each(MODES)("$mode: asks the cheapest first", async ({ name, streaming }) => {
    const { tried, completion } = await callOn(stage().door(name), asking("cheap"), { streaming });
    expect([completion?.model, ...tried]).toEqual(["cheap", "openai/cheap=succeeded"]);
  });

  it("asks the quicker one first, once both are known", async () => {
    const slow = stage().provider("openai");
    slow.plays(async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return saying(openai, answerOf("openai"))(request);
    });
    const measured = [true, false].flatMap((streaming) =>
      ["openai/x", "anthropic/x"].map((model) => callOn(stage().door("rest"), asking(model), { streaming })),
    );
    await Promise.all(measured);
    const before = slow.calls.length;
    for (const { name, streaming } of [...MODES, ...MODES]) {
      const { tried } = await callOn(stage().door(name), asking("quick"), { streaming });
      expect(tried).toEqual(["anthropic/x=succeeded"]);
    }
    expect(slow.calls.length).toBe(before);
  });
});

describe("a fallback", () => {
  const models = [{ id: "house", targets: ["google/c"] }];
  const stage = useRoutingStage(PLAYERS, { models });

  it.each(MODES)("$mode: answers under its own name", async ({ name, streaming }) => {
    stage()
      .provider("openai")
      .plays(() => json(openai.error("server_error", ""), 500));
    const options = { fallbackModels: ["house", "anthropic/never"] };
    const { text, completion } = await callOn(stage().door(name), asking(`openai/${stage().newModel()}`), {
      streaming,
      options,
    });
    expect([text, completion?.model]).toEqual([answerOf("google"), "house"]);
  });

  it.each(MODES)("$mode: that nobody knows is told with its place", async ({ name, streaming }) => {
    const before = stage().provider("openai").calls.length;
    for (const [fallbackModels, param] of [
      [["nobody/knows"], "fallback_models[0]"],
      [["google/c", "nothing"], "fallback_models[1]"],
    ] as const) {
      const call = { streaming, options: { fallbackModels: [...fallbackModels] } };
      const { error } = await callOn(stage().door(name), asking("openai/a"), call);
      expect([error?.code, error?.param, error?.status]).toEqual(["model_not_found", param, name === "rest" ? 404 : 5]);
    }
    expect(stage().provider("openai").calls.length).toBe(before);
  });
});

/** Google's list, with the sizes of contexts. */
const windows = (sizes: Readonly<Record<string, number>>): object => ({
  models: Object.entries(sizes).map(([name, inputTokenLimit]) => ({
    name: `models/${name}`,
    inputTokenLimit,
    supportedGenerationMethods: ["generateContent"],
  })),
});
const words = (count: number): Params => ({
  messages: [{ role: Role.USER, content: [{ kind: { case: "text", value: "word ".repeat(count) } }] }],
});

describe("auto", () => {
  const image = { kind: { case: "imageUrl" as const, value: { url: "data:image/png;base64,iVBORw0KGgo=" } } };
  const withImage: Params = { messages: [{ role: Role.USER, content: [image] }] };
  const tool = { kind: { case: "function" as const, value: { name: "look" } } };
  const schema = { format: { case: "jsonSchema" as const, value: { name: "a", schemaJson: '{"type":"object"}' } } };
  const stage = useRoutingStage(
    [{ vendor: openai }, { vendor: anthropic }, { vendor: google, list: windows({ "gemini-2.5-flash": 2_000 }) }],
    { auto: { models: ["anthropic/claude-2", "openai/o1-mini", "google/gemini-2.5-flash"] } },
  );

  it.each(MODES)("$mode: answers as the model that answered", async ({ name, streaming }) => {
    const { completion, tried } = await callOn(stage().door(name), asking("auto"), { streaming });
    expect([completion?.model, ...tried]).toEqual(["anthropic/claude-2", "anthropic/claude-2=succeeded"]);
  });

  it.each([
    { what: "an image", more: withImage, model: "google/gemini-2.5-flash" },
    { what: "tools", more: { tools: [tool] }, model: "google/gemini-2.5-flash" },
    { what: "a schema", more: { responseFormat: schema }, model: "openai/o1-mini" },
    { what: "log probabilities", more: { logprobs: true }, model: "google/gemini-2.5-flash" },
  ])("leaves out who can't do with $what", async ({ more, model }) => {
    for (const { name, streaming } of MODES) {
      const { completion, error } = await callOn(stage().door(name), asking("auto", more), { streaming });
      expect([completion?.model, error?.message]).toEqual([model, undefined]);
    }
  });

  it("leaves out who gives one answer, where two are asked for", async () => {
    const candidates = await candidatesOf(stage(), asking("auto", { n: 2 }));
    const told = candidates.map(({ target, exclusions }) => [target, ...exclusions.map(({ path }) => path)]);
    expect(told).toEqual([["openai/o1-mini"], ["google/gemini-2.5-flash"], ["anthropic/claude-2", "n"]]);
  });

  it.each<{ what: string; more: Params; param: string }>([
    { what: "tools", more: { messages: words(4_000).messages ?? [], tools: [tool] }, param: "tools" },
    {
      what: "an image",
      more: { messages: [{ role: Role.USER, content: [...(words(4_000).messages?.[0]?.content ?? []), image] }] },
      param: "messages[0].content[1]",
    },
  ])("refuses $what with long messages, where nobody suits", async ({ more, param }) => {
    const counts = () => VENDORS.map(({ id }) => stage().provider(id).calls.length);
    const before = counts();
    for (const { name, streaming } of MODES) {
      const { error } = await callOn(stage().door(name), asking("auto", more), { streaming });
      const status = name === "rest" ? 400 : Code.InvalidArgument;
      expect([error?.code, error?.param, error?.status]).toEqual(["unsupported_parameter", param, status]);
    }
    expect(counts()).toEqual(before);
  });

  it.each(MODES)("$mode: goes on to the next one that suits", async ({ name, streaming }) => {
    const failing = () => json(anthropic.error("api_error", ""), 500);
    stage().provider("anthropic").plays(failing);
    const { completion, tried } = await callOn(stage().door(name), asking("auto"), { streaming });
    const [failed, ...others] = tried;
    expect([completion?.model, ...others]).toEqual(["openai/o1-mini", "openai/o1-mini=succeeded"]);
    // After some failures its breaker is open.
    expect(["anthropic/claude-2=upstream_error", "anthropic/claude-2=skipped"]).toContain(failed);
  });
});

describe("auto, with contexts of known sizes", () => {
  const stage = useRoutingStage([{ vendor: google, list: windows({ small: 1_000, large: 9_000 }) }], {
    auto: { models: ["google/small", "google/large"] },
  });

  it.each(MODES)("$mode: asks one that is large enough", async ({ name, streaming }) => {
    const models = [500, 4_000].map(async (count) => {
      const { completion } = await callOn(stage().door(name), asking("auto", words(count)), { streaming });
      return completion?.model;
    });
    expect(await Promise.all(models)).toEqual(["google/small", "google/large"]);
    const { error } = await callOn(stage().door(name), asking("auto", words(40_000)), { streaming });
    expect([error?.code, error?.param]).toEqual(["context_length_exceeded", "messages"]);
  });
});

describe("an id that two providers list", () => {
  const listed = (id: string) => ({ object: "list", data: [{ id, object: "model", created: 1, owned_by: "x" }] });
  const stage = useRoutingStage([
    { vendor: openai, id: "one", list: listed("shared") },
    { vendor: openai, id: "two", list: listed("shared") },
  ]);

  it.each(MODES)("$mode: stands for both, in their order", async ({ name, streaming }) => {
    stage().provider("one").plays();
    const { completion, tried } = await callOn(stage().door(name), asking("shared"), { streaming });
    expect([completion?.model, ...tried]).toEqual(["shared", "one/shared=succeeded"]);
  });

  it.each(DOORS)("%s: the second one answers under the same name when the first fails", async (name) => {
    stage()
      .provider("one")
      .plays(() => json(openai.error("server_error", ""), 500));
    const { text, completion } = await callOn(stage().door(name), asking("shared"), { streaming: true });
    expect([text, completion?.model]).toEqual([answerOf("two"), "shared"]);
  });
});
