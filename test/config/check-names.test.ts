import { describe, expect, it } from "vitest";
import { loadText, problemsOf } from "./load.ts";

const PROVIDERS = "providers: [{ id: a, google: {} }, { id: b, anthropic: {} }]\n";

describe("checkNames()", () => {
  it("takes names with and without a slash, and targets of all providers", async () => {
    const { models, auto } = await loadText(
      `${PROVIDERS}models: [{ id: gpt, targets: [a/x, b/org/y, sandbox/echo, openai/z] }, { id: org/gpt, targets: [a/x] }]
auto: { models: [org/gpt, gpt, openai/z, sandbox/eliza] }`,
      { OPENAI_API_KEY: "k" },
    );
    expect(models.map(({ id }) => id)).toEqual(["gpt", "org/gpt"]);
    expect(auto.models).toEqual(["org/gpt", "gpt", "openai/z", "sandbox/eliza"]);
  });

  it.each<[what: string, yaml: string, ...problems: string[]]>([
    [
      "an id that is there twice",
      "models: [{ id: x, targets: [a/x] }, { id: y, targets: [a/x] }, { id: x, targets: [a/y] }]",
      'models[2].id: "x" is the id of models[0], too',
    ],
    [
      "the id auto",
      "models: [{ id: auto, targets: [a/x] }]",
      'models[0].id: "auto" is taken: it stands for the models of auto.models',
    ],
    [
      "an id that a model of a provider has",
      "models: [{ id: y, targets: [a/x] }, { id: b/x, targets: [a/x] }]",
      'models[1].id: "b/x" begins as models of the provider "b" do',
    ],
    [
      "an id that a model of the sandbox has",
      "models: [{ id: sandbox/my, targets: [a/x] }]",
      'models[0].id: "sandbox/my" begins as models of the provider "sandbox" do',
    ],
    [
      "targets that are no provider/model",
      "models: [{ id: x, targets: [a/x, gpt, a/, /x, auto] }]",
      'models[0].targets[1]: "gpt" must be "provider/model"',
      'models[0].targets[2]: "a/" must be "provider/model"',
      'models[0].targets[3]: "/x" must be "provider/model"',
      'models[0].targets[4]: "auto" must be "provider/model"',
    ],
    [
      "another name as a target",
      "models: [{ id: x, targets: [a/x] }, { id: y, targets: [x] }]",
      'models[1].targets[0]: "x" must be "provider/model"',
    ],
    [
      "a target of a provider that is not there",
      "models: [{ id: x, targets: [a/x, openai/y] }]",
      'models[0].targets[1]: "openai/y" is of the provider "openai", which is not there',
    ],
    [
      "weights of what is no target",
      "models: [{ id: x, targets: [a/x, b/y], weights: { a/x: 1, b/x: 2, gpt: 3 } }]",
      'models[0].weights["b/x"]: is none of the targets',
      "models[0].weights.gpt: is none of the targets",
    ],
    [
      "auto among the models of auto",
      "auto: { models: [a/x, auto] }",
      'auto.models[1]: "auto" can\'t be one of its own models',
    ],
    [
      "what is neither a name nor a target among the models of auto",
      "models: [{ id: x, targets: [a/x] }]\nauto: { models: [x, y, a/, c/x] }",
      'auto.models[1]: "y" must be "provider/model"',
      'auto.models[2]: "a/" must be "provider/model"',
      'auto.models[3]: "c/x" is of the provider "c", which is not there',
    ],
  ])("rejects %s", async (_what, yaml, ...problems) => {
    expect(await problemsOf(loadText(PROVIDERS + yaml))).toEqual(problems.map((problem) => `parley.yaml: ${problem}`));
  });

  it("is silent on names as long as the sections that they lead to have faults of their own", async () => {
    const text = "providers: [{ id: a, google: { url: x } }]\nauto: { models: [a/x, c/x] }\nlisten: x";
    expect(await problemsOf(loadText(text))).toEqual([
      "parley.yaml: providers[0].google.url: is not a key of the configuration",
      expect.stringMatching(/^parley\.yaml: listen: /),
    ]);
  });
});
