import { toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type { Environment } from "../../src/config/environment.ts";
import type { ProviderSettings } from "../../src/config/provider-settings.ts";
import { OpenAICompatibleSchema } from "../../src/gen/parley/config/v1/openai_compatible_pb.ts";
import { encodeJson } from "../../src/openai-json/encode.ts";
import { loadText, problemsOf } from "./load.ts";

/** A provider in one line: its id, family, address and key, and where it is configured. */
const line = ({ id, kind, config, place }: ProviderSettings): string =>
  [id, kind, config.baseUrl ?? "-", config.apiKey ?? "-", place.file ?? "-", place.path].join(" ");

async function linesOf(text: string, env: Environment = {}): Promise<string[]> {
  return (await loadText(text, env)).providers.map(line);
}

describe("loadConfig() of providers", () => {
  it("takes them in the order of the file", async () => {
    const text = `
providers:
  - id: vllm
    openai_compatible: { base_url: "http://127.0.0.1:8000/v1" }
  - id: gemini
    google: { api_key: g }
  - id: claude-2_x
    anthropic: {}
`;
    expect(await linesOf(text)).toEqual([
      "vllm openaiCompatible http://127.0.0.1:8000/v1 - parley.yaml providers[0].openai_compatible",
      "gemini google - g parley.yaml providers[1].google",
      "claude-2_x anthropic - - parley.yaml providers[2].anthropic",
    ]);
  });

  it("takes keys and headers from variables", async () => {
    const text = `
providers:
  - id: a
    openai_compatible: { base_url: "\${BASE}", api_key: "\${KEY}", headers: { x-key: "\${KEY}!" } }
`;
    const { providers } = await loadText(text, { KEY: "s3cr3t", BASE: "https://a.example/v1?api-version=preview" });
    expect(providers.map(({ config: { baseUrl, apiKey, headers } }) => ({ baseUrl, apiKey, headers }))).toEqual([
      { baseUrl: "https://a.example/v1?api-version=preview", apiKey: "s3cr3t", headers: { "x-key": "s3cr3t!" } },
    ]);
  });

  it.each([
    "google: {",
    "anthropic: {",
    'openai_compatible: { base_url: "https://a.example",',
  ])("takes further keys of %s, also without a first one", async (section) => {
    const { providers } = await loadText(
      `providers: [{ id: a, ${section} api_keys: [k1, "\${KEY}"] } }, { id: b, ${section} api_key: k1, api_keys: [k2] } }]`,
      { KEY: "s3cr3t" },
    );
    expect(providers.map(({ config: { apiKey, apiKeys } }) => ({ apiKey, apiKeys }))).toEqual([
      { apiKey: undefined, apiKeys: ["k1", "s3cr3t"] },
      { apiKey: "k1", apiKeys: ["k2"] },
    ]);
  });

  it("takes how many calls each gets at once, and has a default for what is not said", async () => {
    const text = `
providers:
  - { id: a, google: {}, concurrency: { max_in_flight: 4, max_queue: 0 } }
  - { id: b, google: {}, concurrency: { max_queue: 5 } }
  - { id: c, google: {} }
`;
    const { providers } = await loadText(text, { OPENAI_API_KEY: "k" });
    expect(providers.map(({ id, concurrency }) => ({ id, ...concurrency }))).toEqual([
      { id: "a", maxInFlight: 4, maxQueue: 0 },
      { id: "b", maxInFlight: 1000, maxQueue: 5 },
      { id: "c", maxInFlight: 1000, maxQueue: 1000 },
      { id: "openai", maxInFlight: 1000, maxQueue: 1000 },
    ]);
  });

  it("leaves their sections frozen, and as good as any message", async () => {
    const text = 'providers: [{ id: a, openai_compatible: { base_url: "https://a.example", headers: { x-a: b } } }]';
    const { providers } = await loadText(text);
    const [provider] = providers;
    if (provider?.kind !== "openaiCompatible") throw new Error("another family");
    const { config } = provider;
    expect([config, config.headers, provider.place, provider, providers].every(Object.isFrozen)).toBe(true);
    expect(encodeJson(OpenAICompatibleSchema, config)).toEqual({
      base_url: "https://a.example",
      headers: { "x-a": "b" },
    });
    expect(toBinary(OpenAICompatibleSchema, config).length).toBeGreaterThan(20);
  });

  const NO_ADDRESS = 'must be an address that starts with "https://" or "http://"';
  it.each<[what: string, yaml: string, ...problems: string[]]>([
    [
      "an id that is there twice",
      "[{ id: a, google: {} }, { id: b, google: {} }, { id: a, anthropic: {} }]",
      'providers[2].id: "a" is the id of providers[0], too',
    ],
    ["an id that is taken", "[{ id: sandbox, google: {} }]", "providers[0].id: must not be in list [sandbox, auto]"],
    [
      "an id in capitals",
      "[{ id: OpenAI, google: {} }]",
      "providers[0].id: does not match regex pattern `^[a-z0-9][a-z0-9_-]{0,62}$`",
    ],
    ["no family", "[{ id: a }]", "providers[0].kind: exactly one field is required in oneof"],
    [
      "two families",
      "[{ id: a, google: {}, anthropic: {} }]",
      "providers[0].anthropic: can't be set together with google",
    ],
    [
      "a key of no family",
      "[{ id: a, google: { url: x } }]",
      "providers[0].google.url: is not a key of the configuration",
    ],
    ["no address", "[{ id: a, openai_compatible: {} }]", "providers[0].openai_compatible.base_url: value is required"],
    [
      "what is no address",
      "[{ id: a, google: { base_url: a b } }]",
      "providers[0].google.base_url: must be a valid URI",
    ],
    [
      "an address of another scheme",
      '[{ id: a, google: { base_url: "ftp://a.example" } }]',
      `providers[0].google.base_url: ${NO_ADDRESS}`,
    ],
    [
      "an address without one",
      "[{ id: a, google: { base_url: 'localhost:80' } }]",
      `providers[0].google.base_url: ${NO_ADDRESS}`,
    ],
    [
      "a password in an address",
      '[{ id: a, google: { base_url: "https://me:s3cr3t@a.example" } }]',
      'providers[0].google.base_url: must not have a user or a password in it; "headers" can carry them',
    ],
    [
      "a fragment",
      '[{ id: a, anthropic: { base_url: "https://a.example/#b" } }]',
      'providers[0].anthropic.base_url: must not have a "#" in it',
    ],
    [
      "an empty key",
      '[{ id: a, anthropic: { api_key: "" } }]',
      "providers[0].anthropic.api_key: is empty; leave it out where no key is needed",
    ],
    [
      "a key with a line break",
      '[{ id: a, anthropic: { api_key: "s3cr3t\\n" } }]',
      "providers[0].anthropic.api_key: has a blank, a line break, or another character that no key has",
    ],
    [
      "an empty further key",
      '[{ id: a, openai_compatible: { base_url: "https://a.example", api_keys: [s3cr3t, ""] } }]',
      "providers[0].openai_compatible.api_keys[1]: is empty; leave it out where no key is needed",
    ],
    [
      "a further key with a blank",
      '[{ id: a, google: { api_keys: ["s3cr3t a"] } }]',
      "providers[0].google.api_keys[0]: has a blank, a line break, or another character that no key has",
    ],
    [
      "a key that is there twice",
      "[{ id: a, anthropic: { api_key: s3cr3t, api_keys: [k, s3cr3t, k] } }]",
      "providers[0].anthropic.api_keys[1]: is the same key as api_key",
      "providers[0].anthropic.api_keys[2]: is the same key as api_keys[0]",
    ],
    [
      "what is no header",
      '[{ id: a, google: { headers: { "x y": s3cr3t } } }]',
      'providers[0].google.headers["x y"]: is not a header\'s name',
    ],
    [
      "a header that no one can carry",
      '[{ id: a, google: { headers: { x-y: "s3cr3t\\nz" } } }]',
      "providers[0].google.headers.x-y: has a value that a header can't carry, such as a line break",
    ],
    [
      "a header of Parley's own",
      "[{ id: a, google: { headers: { Content-Type: s3cr3t } } }]",
      "providers[0].google.headers.Content-Type: is a header that Parley sets itself",
    ],
    [
      "a header that is there twice",
      "[{ id: a, google: { headers: { x-a: s3cr3t, X-A: s3cr3t } } }]",
      "providers[0].google.headers.X-A: is there twice: case does not count in a header's name",
    ],
  ])("rejects %s, and shows no value", async (_what, yaml, ...problems) => {
    expect(await problemsOf(loadText(`providers: ${yaml}`))).toEqual(problems.map((it) => `parley.yaml: ${it}`));
  });
});

describe("loadConfig() of an environment with keys", () => {
  it.each<[what: string, env: Environment, lines: string[]]>([
    ["OpenAI", { OPENAI_API_KEY: "k" }, ["openai openaiCompatible https://api.openai.com/v1 k - OPENAI_API_KEY"]],
    [
      "OpenAI elsewhere",
      { OPENAI_API_KEY: "k", OPENAI_BASE_URL: "http://localhost:1/v1/" },
      ["openai openaiCompatible http://localhost:1/v1/ k - OPENAI_API_KEY"],
    ],
    ["Anthropic", { ANTHROPIC_API_KEY: "k" }, ["anthropic anthropic - k - ANTHROPIC_API_KEY"]],
    [
      "Anthropic elsewhere",
      { ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: "https://a.example" },
      ["anthropic anthropic https://a.example k - ANTHROPIC_API_KEY"],
    ],
    ["Google by one name", { GEMINI_API_KEY: "k" }, ["google google - k - GEMINI_API_KEY"]],
    ["Google by the other", { GOOGLE_API_KEY: "k" }, ["google google - k - GOOGLE_API_KEY"]],
    [
      "Google by both, as its own clients choose",
      { GEMINI_API_KEY: "gemini", GOOGLE_API_KEY: "google", GOOGLE_GEMINI_BASE_URL: "https://g.example" },
      ["google google https://g.example google - GOOGLE_API_KEY"],
    ],
    [
      "all three",
      { GEMINI_API_KEY: "c", ANTHROPIC_API_KEY: "b", OPENAI_API_KEY: "a" },
      [
        "openai openaiCompatible https://api.openai.com/v1 a - OPENAI_API_KEY",
        "anthropic anthropic - b - ANTHROPIC_API_KEY",
        "google google - c - GEMINI_API_KEY",
      ],
    ],
    ["none for an address without a key", { OPENAI_BASE_URL: "https://a.example" }, []],
    [
      "none for empty keys",
      { OPENAI_API_KEY: "", ANTHROPIC_API_KEY: "", GEMINI_API_KEY: "", GOOGLE_API_KEY: "", OPENAI_BASE_URL: "" },
      [],
    ],
    [
      "the vendor's own address for an empty one",
      { OPENAI_API_KEY: "k", OPENAI_BASE_URL: "" },
      ["openai openaiCompatible https://api.openai.com/v1 k - OPENAI_API_KEY"],
    ],
  ])("switches on %s", async (_what, env, lines) => {
    expect(await linesOf("", env)).toEqual(lines);
  });

  it("lets a provider of the file win over one of the same id", async () => {
    const text = "providers: [{ id: google, anthropic: { api_key: file } }]";
    expect(await linesOf(text, { GEMINI_API_KEY: "k", OPENAI_API_KEY: "k" })).toEqual([
      "google anthropic - file parley.yaml providers[0].anthropic",
      "openai openaiCompatible https://api.openai.com/v1 k - OPENAI_API_KEY",
    ]);
  });

  it("leaves variables of a provider alone that the file has in its place", async () => {
    const text = "providers: [{ id: google, anthropic: { api_key: file } }]";
    expect(await linesOf(text, { GEMINI_API_KEY: "two words", GOOGLE_GEMINI_BASE_URL: "nowhere" })).toEqual([
      "google anthropic - file parley.yaml providers[0].anthropic",
    ]);
  });

  it.each<[Environment, string]>([
    [{ OPENAI_BASE_URL: "s3cr3t" }, 'OPENAI_BASE_URL: must be an address that starts with "https://" or "http://"'],
    [
      { OPENAI_BASE_URL: "ws://s3cr3t", OPENAI_API_KEY: "k" },
      'OPENAI_BASE_URL: must be an address that starts with "https://" or "http://"',
    ],
    [
      { ANTHROPIC_BASE_URL: "https://me:s3cr3t@a.example" },
      'ANTHROPIC_BASE_URL: must not have a user or a password in it; "headers" can carry them',
    ],
    [{ GOOGLE_GEMINI_BASE_URL: "https://a.example#s3cr3t" }, 'GOOGLE_GEMINI_BASE_URL: must not have a "#" in it'],
    [
      { ANTHROPIC_API_KEY: "s3cr3t\n" },
      "ANTHROPIC_API_KEY: has a blank, a line break, or another character that no key has",
    ],
  ])("rejects %j by the variable's name", async (env, problem) => {
    expect(await problemsOf(loadText("", env))).toEqual([problem]);
  });
});
