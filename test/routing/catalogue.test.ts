import { describe, expect, it } from "vitest";
import type { Model } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import type { Catalogue } from "../../src/routing/catalogue.ts";
import type { Candidate } from "../../src/routing/target.ts";
import { modelsOf } from "../support/listing-provider.ts";
import { catalogueOf, idleBackend } from "../support/routing.ts";

/** A backend whose list can be exchanged, and which counts how often it is read. It takes what it lists, or any model. */
function createListed(id: string, listed: readonly string[], takes: "listed" | "any" = "any") {
  const state = { models: modelsOf(...listed) as readonly Model[], reads: 0 };
  const backend = idleBackend(id, {
    models: () => {
      state.reads++;
      return state.models;
    },
    has: (model) => takes === "any" || state.models.some((it) => it.id === model),
  });
  return { backend, state };
}

const home = () => createListed("home", ["m", "small"], "listed");

const targetOf = (catalogue: Catalogue, name: string) => {
  const [first] = catalogue.resolve(name).candidates as [Candidate];
  const { backend, model, name: full } = first.target;
  return [backend.id, model, full, first.answersAs];
};
const notFound = (name: string, why = "", param = "model") =>
  expect.objectContaining({
    reasonName: "MODEL_NOT_FOUND",
    message: `The model '${name}' does not exist${why}`,
    details: { param },
  });
const idsOf = (catalogue: Catalogue): string[] => catalogue.list().map(({ id }) => id);

describe("resolve()", () => {
  const anthropic = createListed("anthropic", ["claude-opus"]);
  const router = createListed("router", ["anthropic/claude-opus", "meta/llama:free", "small"]);
  const all = catalogueOf([home().backend, anthropic.backend, router.backend], ["anthropic/claude-opus"]);
  const routed = catalogueOf([home().backend, router.backend], ["home/m"]);

  it.each<readonly [string, Catalogue, string, readonly string[]]>([
    [
      "the model behind auto",
      all,
      "auto",
      ["anthropic", "claude-opus", "anthropic/claude-opus", "anthropic/claude-opus"],
    ],
    [
      "a listed model of a provider",
      all,
      "anthropic/claude-opus",
      ["anthropic", "claude-opus", "anthropic/claude-opus", "anthropic/claude-opus"],
    ],
    ["an unlisted model of a provider", all, "anthropic/new", ["anthropic", "new", "anthropic/new", "anthropic/new"]],
    ["a bare id", all, "claude-opus", ["anthropic", "claude-opus", "anthropic/claude-opus", "claude-opus"]],
    ["a bare id that two list", all, "small", ["home", "small", "home/small", "small"]],
    [
      "a bare id with a slash and a colon",
      all,
      "meta/llama:free",
      ["router", "meta/llama:free", "router/meta/llama:free", "meta/llama:free"],
    ],
    [
      "a full name with two slashes",
      all,
      "router/anthropic/claude-opus",
      ["router", "anthropic/claude-opus", "router/anthropic/claude-opus", "router/anthropic/claude-opus"],
    ],
    [
      "an id that names a provider that is not here",
      routed,
      "anthropic/claude-opus",
      ["router", "anthropic/claude-opus", "router/anthropic/claude-opus", "anthropic/claude-opus"],
    ],
  ])("finds %s", (_what, catalogue, name, target) => {
    expect(targetOf(catalogue, name)).toEqual(target);
  });

  it.each([
    "",
    "nobody",
    "home/",
    "anthropic/",
    "/m",
    "home/unlisted",
    "anthropic",
    "AUTO",
    "home//m",
    "__proto__",
  ])("does not find %j", (name) => {
    expect(() => all.resolve(name)).toThrow(notFound(name));
  });

  it.each(["nobody", "__proto__"])("says that there is no provider %s", (provider) => {
    expect(() => all.resolve(`${provider}/m`)).toThrow(
      notFound(`${provider}/m`, `: there is no provider '${provider}' here`),
    );
  });

  it("takes names of 512 characters, and no longer ones", () => {
    const { backend } = createListed("p", []);
    const catalogue = catalogueOf([backend], ["p/m"]);
    const longest = `p/${"m".repeat(510)}`;
    expect(targetOf(catalogue, longest)[2]).toBe(longest);
    expect(() => catalogue.resolve(`${longest}m`)).toThrow(notFound(`${longest.slice(0, 100)}…`));
  });

  it("goes through no list for a bare name", () => {
    const { backend, state } = createListed("p", []);
    let looks = 0;
    const counted = modelsOf("m").map(
      (model) =>
        new Proxy(model, {
          get: (target, key) => {
            looks++;
            return Reflect.get(target, key);
          },
        }),
    );
    state.models = counted;
    const catalogue = catalogueOf([backend], ["p/m"]);
    catalogue.resolve("m");
    const looksOfFirst = looks;
    for (let call = 0; call < 10; call++) catalogue.resolve("m");
    expect(looksOfFirst).toBeGreaterThan(0);
    expect(looks).toBe(looksOfFirst);
  });

  it("keeps the targets that are asked for, however many others are", () => {
    const { backend } = createListed("p", []);
    const catalogue = catalogueOf([backend], ["p/m"]);
    for (let other = 0; other < 10_001; other++) {
      catalogue.resolve("p/often");
      catalogue.resolve(`p/${other}`);
    }
    const names = [...catalogue.targets()].map(({ name }) => name);
    expect([names.length, names.includes("p/often"), names.includes("p/0")]).toEqual([10_000, true, false]);
  });

  it("follows a list that changes", () => {
    const { backend, state } = createListed("p", ["old"]);
    const catalogue = catalogueOf([home().backend, backend], ["home/m"]);
    expect(targetOf(catalogue, "old")).toEqual(["p", "old", "p/old", "old"]);
    expect(() => catalogue.resolve("new")).toThrow(notFound("new"));
    state.models = modelsOf("new");
    expect(targetOf(catalogue, "new")).toEqual(["p", "new", "p/new", "new"]);
    expect(() => catalogue.resolve("old")).toThrow(notFound("old"));
    expect(targetOf(catalogue, "p/old")).toEqual(["p", "old", "p/old", "p/old"]);
  });
});

describe("list()", () => {
  it("merges the lists, sorted, under the names that callers use", () => {
    const router = createListed("router", ["z", "anthropic/claude", "m"]);
    const catalogue = catalogueOf([router.backend, home().backend], ["home/m"]);
    expect(catalogue.list().map(({ id, ownedBy }) => [id, ownedBy])).toEqual([
      ["auto", "parley"],
      ["home/m", "home"],
      ["home/small", "home"],
      ["router/anthropic/claude", "router"],
      ["router/m", "router"],
      ["router/z", "router"],
    ]);
  });

  it("is the same until a list changes, and leaves the backend's models as they are", () => {
    const { backend, state } = createListed("p", ["a"]);
    const catalogue = catalogueOf([backend], ["p/a"]);
    const before = catalogue.list();
    expect(catalogue.list()).toBe(before);
    state.models = modelsOf("a", "b");
    expect(idsOf(catalogue)).toEqual(["auto", "p/a", "p/b"]);
    expect(before.map(({ id }) => id)).toEqual(["auto", "p/a"]);
    expect(state.models).toEqual(modelsOf("a", "b"));
  });

  it("is there without a provider that has no list yet", () => {
    expect(idsOf(catalogueOf([createListed("p", []).backend], ["p/any"]))).toEqual(["auto"]);
  });
});

describe("get()", () => {
  const router = createListed("router", ["anthropic/claude", "m"]);
  const catalogue = catalogueOf([home().backend, router.backend], ["home/m"]);

  it.each([
    ["auto", "auto"],
    ["home/m", "home/m"],
    ["m", "home/m"],
    ["router/m", "router/m"],
    ["anthropic/claude", "router/anthropic/claude"],
    ["router/anthropic/claude", "router/anthropic/claude"],
  ])("gives %s", (name, id) => {
    expect(catalogue.get(name).id).toBe(id);
  });

  // A model that is not listed can be called, and yet nothing is known of it.
  it.each([
    ["router/unlisted", ""],
    ["nobody/m", ": there is no provider 'nobody' here"],
    ["home/", ""],
    ["", ""],
  ])("does not find %j", (name, why) => {
    expect(() => catalogue.get(name)).toThrow(notFound(name, why));
  });
});

describe("createCatalogue()", () => {
  it("refuses a model behind auto that nobody has", () => {
    expect(() => catalogueOf([home().backend], ["home/none"])).toThrow(notFound("home/none", "", "auto.models[0]"));
  });
});
