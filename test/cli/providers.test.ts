/** Keys in the environment switch providers on with no file, and stand nowhere but in the requests to them. */
import { describe, expect, it, onTestFinished } from "vitest";
import { openOpenAI, say } from "../clients/openai-client.ts";
import { createFolder } from "../config/folder.ts";
import { failureOf } from "../support/collect.ts";
import { json, type Reply } from "../support/upstream.ts";
import { startVendors, type VendorCall, type Vendors } from "../support/vendors.ts";
import { runParley, startParley } from "./parley.ts";

const KEYS = { openai: "sk-only-openai-sees-it", anthropic: "sk-ant-only-they-see", google: "AIza-only-google-sees" };
const secrets = Object.values(KEYS);

/** Keys, and addresses with another secret in their query. */
const environmentOf = ({ baseUrl }: Vendors): Record<string, string> => ({
  PARLEY_LISTEN: "127.0.0.1:0",
  PARLEY_LOG_LEVEL: "debug",
  OPENAI_API_KEY: KEYS.openai,
  OPENAI_BASE_URL: baseUrl("openai", "openai"),
  ANTHROPIC_API_KEY: KEYS.anthropic,
  ANTHROPIC_BASE_URL: baseUrl("anthropic", "anthropic"),
  GEMINI_API_KEY: KEYS.google,
  GOOGLE_GEMINI_BASE_URL: baseUrl("google", "google"),
});

async function start(answer?: (call: VendorCall) => Reply | undefined): Promise<Vendors> {
  const vendors = await startVendors(answer);
  onTestFinished(() => vendors.upstream.close());
  return vendors;
}

const MODELS = ["openai/gpt-4o", "anthropic/claude-sonnet-4-5", "google/gemini-3-flash-preview"];

describe("parley serve with keys in its environment", () => {
  it("calls the providers, and never shows the keys", async () => {
    const vendors = await start();
    const parley = startParley(["serve"], { env: environmentOf(vendors), cwd: createFolder() });
    const [, url = ""] = await parley.until("stderr", /^Parley \S+ listens on (\S+)$/m);
    const sdk = openOpenAI(url);
    for (const model of MODELS) {
      const { choices } = await sdk.chat.completions.create({ model, messages: say("Hi") });
      expect([model, choices[0]?.message.content]).toEqual([model, "Hello"]);
    }
    const [toOpenAI, toAnthropic, toGoogle] = vendors.calls().map(({ request }) => request.headers);
    expect(toOpenAI?.["authorization"]).toBe(`Bearer ${KEYS.openai}`);
    expect(toAnthropic?.["x-api-key"]).toBe(KEYS.anthropic);
    expect(toGoogle?.["x-goog-api-key"]).toBe(KEYS.google);

    parley.child.kill("SIGTERM");
    expect(await parley.ended).toBe(0);
    const shown = parley.out.stdout + parley.out.stderr;
    expect(secrets.filter((secret) => shown.includes(secret))).toEqual([]);
    // The lines are there in which a key could have stood.
    for (const model of MODELS) expect(shown).toContain(`"target":"${model}"`);
  });

  it("shows no key that a provider repeats in its error", async () => {
    const vendors = await start(({ api, request }) => {
      const key = String(
        request.headers["authorization"] ?? request.headers["x-api-key"] ?? request.headers["x-goog-api-key"],
      );
      const message = `Incorrect API key provided: ${key}. It is ${key.slice(-8)} or so.`;
      return json(
        api === "google"
          ? { error: { code: 400, message, status: "INVALID_ARGUMENT", details: [{ reason: "API_KEY_INVALID" }] } }
          : { type: "error", error: { type: "authentication_error", message, code: "invalid_api_key" } },
        api === "google" ? 400 : 401,
      );
    });
    const parley = startParley(["serve"], { env: environmentOf(vendors), cwd: createFolder() });
    const [, url = ""] = await parley.until("stderr", /^Parley \S+ listens on (\S+)$/m);
    const told: string[] = [];
    for (const model of MODELS) {
      const failure = await failureOf(openOpenAI(url).chat.completions.create({ model, messages: say("Hi") }));
      expect(failure).toMatchObject({ status: 502, code: "upstream_authentication_failed" });
      told.push(JSON.stringify(failure) + String(failure));
    }
    parley.child.kill("SIGTERM");
    await parley.ended;
    const shown = parley.out.stdout + parley.out.stderr + told.join("\n");
    const parts = secrets.flatMap((secret) => [secret, secret.slice(-8)]);
    expect(parts.filter((part) => shown.includes(part))).toEqual([]);
  });

  it("takes the key of each provider by itself, and the file's provider over the environment's", async () => {
    const vendors = await start();
    const { OPENAI_API_KEY: _, ...env } = environmentOf(vendors);
    const file = `providers:
  - id: anthropic
    anthropic: { base_url: "${vendors.baseUrl("elsewhere", "anthropic")}", api_key: "\${ANTHROPIC_API_KEY}" }
`;
    const parley = startParley(["serve"], { env, cwd: createFolder({ "parley.yaml": file }) });
    const [, url = ""] = await parley.until("stderr", /^Parley \S+ listens on (\S+)$/m);
    const sdk = openOpenAI(url);
    for (const model of MODELS.slice(1)) await sdk.chat.completions.create({ model, messages: say("Hi") });
    expect(vendors.calls().map(({ vendor }) => vendor)).toEqual(["elsewhere", "google"]);
    expect(await failureOf(sdk.chat.completions.create({ model: "openai/gpt-4o", messages: say("Hi") }))).toMatchObject(
      {
        status: 404,
        code: "model_not_found",
      },
    );
  });
});

describe("parley check-config with keys in its environment", () => {
  it("shows the providers, and no key", async () => {
    const vendors = await start();
    const env = {
      ...environmentOf(vendors),
      OPENAI_BASE_URL: `${vendors.baseUrl("openai", "openai")}?api-version=preview&code=${KEYS.openai}`,
    };
    const { status, stdout, stderr } = await runParley(["check-config"], { env, cwd: createFolder() });
    expect([status, stdout]).toEqual([0, expect.stringMatching(/openai:?[\s\S]*anthropic:?[\s\S]*google/)]);
    expect(stdout).toContain("api-version=preview&code=redacted");
    expect(secrets.filter((secret) => (stdout + stderr).includes(secret))).toEqual([]);
    expect(vendors.upstream.requests).toEqual([]);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ["a key with a line break", { OPENAI_API_KEY: `${KEYS.openai}\nx` }, /OPENAI_API_KEY/],
    [
      "an address that is none",
      { ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: `${KEYS.anthropic}://` },
      /ANTHROPIC_BASE_URL/,
    ],
    [
      "an address with a password",
      { GOOGLE_API_KEY: "k", GOOGLE_GEMINI_BASE_URL: `https://me:${KEYS.google}@google.example` },
      /GOOGLE_GEMINI_BASE_URL/,
    ],
  ])("names the variable of %s, and not its value", async (_what, env, variable) => {
    const { status, stdout, stderr } = await runParley(["check-config"], { env, cwd: createFolder() });
    expect(status).not.toBe(0);
    expect(stderr).toMatch(variable);
    expect(secrets.filter((secret) => (stdout + stderr).includes(secret))).toEqual([]);
  });
});
