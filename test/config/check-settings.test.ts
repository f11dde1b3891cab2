import { describe, expect, it } from "vitest";
import { loadText, problemsOf } from "./load.ts";

describe("checkSettings()", () => {
  it.each([
    "*",
    "https://app.example",
    "https://app.example:8443",
    "http://[::1]:3000",
    "chrome-extension://abcdef",
  ])("takes the origin %s", async (origin) => {
    const { cors } = await loadText(`cors: { allowed_origins: ["${origin}"] }`);
    expect(cors.allowedOrigins).toEqual([origin]);
  });

  it.each([
    "app.example",
    "https://app.example/",
    "https://app.example/path",
    "https://App.example",
    "https://app.example:443",
    "https://*.example",
    "https://user@app.example",
    "null",
    "capacitor:localhost",
    " https://app.example",
  ])("rejects the origin %j, which no browser sends", async (origin) => {
    expect(await problemsOf(loadText(`cors: { allowed_origins: ["*", "${origin}"] }`))).toEqual([
      `parley.yaml: cors.allowed_origins[1]: ${JSON.stringify(origin)} must be "*", or scheme, host and port as browsers send ` +
        'them, such as "https://app.example"',
    ]);
  });

  it("rejects more time for the headers than for the request", async () => {
    expect(await problemsOf(loadText("timeouts: { request: 5s }"))).toEqual([
      "parley.yaml: timeouts.headers: 10s must be <= timeouts.request, 5s",
    ]);
  });

  it.each<[yaml: string, ...problems: string[]]>([
    ["{ min_calls: 9, window: 8 }", "min_calls: 9 must be <= routing.breaker.window, 8"],
    ["{ window: 4 }", "min_calls: 5 must be <= routing.breaker.window, 4"],
    ["{ open: 3s, max_open: 2.5s }", "open: 3s must be <= routing.breaker.max_open, 2.5s"],
    ["{ open: 11s }", "open: 11s must be <= routing.breaker.max_open, 10s"],
    [
      "{ min_calls: 21, open: 11s }",
      "min_calls: 21 must be <= routing.breaker.window, 20",
      "open: 11s must be <= routing.breaker.max_open, 10s",
    ],
  ])("rejects a breaker that contradicts itself: %s", async (yaml, ...problems) => {
    expect(await problemsOf(loadText(`routing: { breaker: ${yaml} }`))).toEqual(
      problems.map((problem) => `parley.yaml: routing.breaker.${problem}`),
    );
  });

  it("takes a breaker whose bounds are the same", async () => {
    const { routing } = await loadText("routing: { breaker: { min_calls: 3, window: 3, open: 2s, max_open: 2s } }");
    expect(routing.breaker).toMatchObject({ minCalls: 3, window: 3, openMs: 2000, maxOpenMs: 2000 });
  });
});

describe("checkAuth()", () => {
  const HASH = "a0".repeat(32);
  const OTHER = "b1".repeat(32);
  const TRUSTED =
    "auth.jwt.jwks_url: must begin with https://, or with http:// and a loopback address: who changes it on its way can call";

  it.each<[yaml: string, ...problems: string[]]>([
    [
      `keys: [{ id: key_a, sha256: ${HASH} }]`,
      'auth.keys[0].id: "key_a" can\'t be the id of a key of the file: ids that begin with "key_" are made by Parley',
    ],
    [`keys: [{ id: open, sha256: ${HASH} }]`, 'auth.keys[0].id: "open" is what callers without a key are called'],
    [
      `keys: [{ id: a, sha256: ${HASH} }, { id: b, sha256: ${OTHER} }, { id: a, sha256: ${"c2".repeat(32)} }]`,
      'auth.keys[2].id: "a" is the id of auth.keys[0], too',
    ],
    [
      `keys: [{ id: a, sha256: ${"AB".repeat(32)} }, { id: b, sha256: ${"ab".repeat(32)} }]`,
      "auth.keys[1].sha256: is that of auth.keys[0], too",
    ],
    [
      `keys: [{ id: a, sha256: ${HASH}, models: [x, "a\\nb"] }]`,
      "auth.keys[0].models[1]: has a control character, which no model has in its name",
    ],
    ["keys: [{}]", "auth.keys[0].id: value is required", "auth.keys[0].sha256: value is required"],
    [
      `keys: [{ id: "a b", sha256: ${HASH.slice(1)} }]`,
      "auth.keys[0].id: does not match regex pattern `^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`",
      "auth.keys[0].sha256: does not match regex pattern `^[0-9A-Fa-f]{64}$`",
    ],
    [
      `keys: [{ id: a, sha256: ${HASH}, scopes: [all] }]`,
      'auth.keys[0].scopes[0]: must be one of "chat", "models", "runs", "requests", "admin", not "all"',
    ],
    ["jwt: { issuer: i, audience: a, jwks_url: 'http://id.example/jwks' }", TRUSTED],
    ["jwt: { issuer: i, audience: a, jwks_url: 'http://127.0.0.1.example/jwks' }", TRUSTED],
    ["jwt: { issuer: i, audience: a, jwks_url: 'file:///jwks' }", TRUSTED],
    [
      "jwt: { issuer: i, audience: a, jwks_url: 'https://id.example', algorithms: [HS256] }",
      "auth.jwt.algorithms[0]: must be in list [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA]",
    ],
    [
      "default_limits: { concurrent: 0 }",
      "auth.default_limits.concurrent: 0 must be greater than or equal to 1 and less than or equal to 1000000",
    ],
  ])("rejects %s", async (yaml, ...problems) => {
    expect(await problemsOf(loadText(`auth: { ${yaml} }`))).toEqual(problems.map((it) => `parley.yaml: ${it}`));
  });

  it.each([
    "https://id.example/jwks",
    "http://127.0.0.1:1/jwks",
    "http://[::1]:1/jwks",
    "http://localhost/jwks",
  ])("takes the public keys of an issuer from %s", async (url) => {
    const { auth } = await loadText(`auth: { jwt: { issuer: i, audience: a, jwks_url: "${url}" } }`);
    expect(auth.jwt?.jwksUrl).toBe(url);
  });
});

describe("checkSettings() of the webhooks' secret", () => {
  it.each([
    ["24 bytes", Buffer.alloc(24).toString("base64")],
    ["25 bytes, without padding", Buffer.alloc(25).toString("base64").replace(/=+$/, "")],
    ["64 bytes", Buffer.alloc(64, 255).toString("base64")],
  ])("takes %s", async (_what, base64) => {
    const { runs } = await loadText(`runs: { webhook: { secret: "whsec_${base64}" } }`);
    expect(runs.webhook.secret).toBe(`whsec_${base64}`);
  });

  it.each([
    ["65 bytes", Buffer.alloc(65).toString("base64")],
    ["bits too many", `${"A".repeat(33)}B`],
    ["a character too many", "A".repeat(33)],
    ["wrong padding", `${"A".repeat(32)}=`],
  ])("rejects %s", async (_what, base64) => {
    expect(await problemsOf(loadText(`runs: { webhook: { secret: "whsec_${base64}" } }`))).toEqual([
      'parley.yaml: runs.webhook.secret: must be "whsec_" and 24 to 64 bytes in base64',
    ]);
  });
});
