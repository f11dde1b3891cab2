import { createHmac, generateKeyPairSync } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { exportJWK, exportSPKI, importJWK, type JWTPayload } from "jose";
import { describe, expect, it, vi } from "vitest";
import type { Caller } from "../../src/admission/caller.ts";
import { hashSecret } from "../../src/admission/secret.ts";
import { createTokens, isToken, type TokensOptions } from "../../src/admission/tokens.ts";
import { Budget_Period, KeyLimitsSchema } from "../../src/gen/parley/keys/v1/limits_pb.ts";
import { Scope } from "../../src/gen/parley/scopes/v1/scopes_pb.ts";
import { createSigningKey, startIssuer, type TestIssuer } from "../support/issuer.ts";
import { failureOf } from "./support/reason.ts";

type Claims = Readonly<Record<string, unknown>>;
type Verify = (token: string) => Caller | Promise<Caller>;

function verifierOf(issuer: TestIssuer, options: Partial<TokensOptions> = {}): Verify {
  const tokens = createTokens({ settings: issuer.settings, defaultLimits: undefined, ...options });
  return (token) => tokens.verify(token, hashSecret(token));
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (part: string | undefined): JWTPayload =>
  JSON.parse(Buffer.from(part ?? "", "base64url").toString("utf8")) as JWTPayload;

/** The same claims under another header, with another signature. */
function forge(token: string, header: object, sign: (input: string) => string = () => ""): string {
  const input = `${encode(header)}.${token.split(".")[1]}`;
  return `${input}.${sign(input)}`;
}

describe("isToken()", () => {
  it.each([
    ["a.b.c", true],
    ["a.b", false],
    ["a.b.c.d", false],
    ["a..c", false],
    ["a.b.", false],
    ["", false],
  ])("of %j is %j", (text, is) => {
    expect(isToken(text)).toBe(is);
  });
});

describe("createTokens() makes a caller of the claims", () => {
  const defaultLimits = create(KeyLimitsSchema, { concurrent: 7 });
  const DEFAULT: Caller = {
    id: "jwt:ada",
    scopes: new Set(),
    models: [],
    limits: defaultLimits,
    logContent: false,
  };

  it.each<[what: string, claims: Claims, caller: Partial<Caller>]>([
    ["nothing but what is needed", {}, {}],
    [
      "scopes as words",
      { scope: "chat openid models admin" },
      { scopes: new Set([Scope.CHAT, Scope.MODELS, Scope.ADMIN]) },
    ],
    ["scopes as a list", { scope: ["runs", "Chat", ""] }, { scopes: new Set([Scope.RUNS]) }],
    ["models", { parley_models: ["openai/*", "a"] }, { models: ["openai/*", "a"] }],
    [
      "limits",
      {
        parley_limits: {
          requests_per_minute: 5,
          tokens_per_minute: 6_000_000_000,
          budget: { dollars: 1.5, per: "day" },
        },
      },
      {
        limits: create(KeyLimitsSchema, {
          requestsPerMinute: 5,
          tokensPerMinute: 6_000_000_000n,
          budget: { dollars: 1.5, per: Budget_Period.DAY },
        }),
      },
    ],
    ["limits that are none", { parley_limits: {} }, { limits: create(KeyLimitsSchema) }],
    ["several audiences", { aud: ["other", "parley"] }, {}],
    ["a subject of any characters", { sub: "ä/🙂'; drop table keys; --" }, { id: "jwt:ä/🙂'; drop table keys; --" }],
    ["a long subject", { sub: "x".repeat(196) }, { id: `jwt:${"x".repeat(196)}` }],
  ])("%s", async (_what, claims, caller) => {
    const issuer = await startIssuer();
    const found = await verifierOf(issuer, { defaultLimits })(await issuer.sign(claims));
    expect(found).toEqual({ ...DEFAULT, ...caller });
  });

  it("cuts a subject that is longer, and tells it from others that begin so", async () => {
    const issuer = await startIssuer();
    const verify = verifierOf(issuer);
    const [one, two] = await Promise.all(
      ["a", "b"].map(async (end) => (await verify(await issuer.sign({ sub: "x".repeat(500) + end }))).id),
    );
    expect([one?.length, two?.length, one === two]).toEqual([200, 200, false]);
  });

  it("by the names of the settings", async () => {
    const issuer = await startIssuer();
    const settings = {
      ...issuer.settings,
      scopesClaim: "scp",
      scopePrefix: "parley:",
      modelsClaim: "m",
      limitsClaim: "l",
    };
    const claims = { scp: ["parley:chat", "models"], m: ["a"], l: { concurrent: 1 }, scope: "admin" };
    const caller = await verifierOf(issuer, { settings })(await issuer.sign(claims));
    expect(caller).toMatchObject({ scopes: new Set([Scope.CHAT]), models: ["a"], limits: { concurrent: 1 } });
  });

  it.each<[claims: Claims, message: string]>([
    [{ sub: "" }, "the token's claim sub must be a text"],
    [{ sub: "a\nb" }, "the token's claim sub must be a text"],
    [{ sub: "\ud800" }, "the token's claim sub must be a text"],
    [{ scope: 5 }, "the token's claim scope must be a list of texts, or words"],
    [{ scope: ["chat", 1] }, "the token's claim scope must be a list of texts, or words"],
    [{ parley_models: "a" }, "the token's claim parley_models must be a list of up to 256 patterns"],
    [{ parley_models: [""] }, "the token's claim parley_models must be a list of up to 256 patterns"],
    [{ parley_models: ["a\n"] }, "the token's claim parley_models must be a list of up to 256 patterns"],
    [{ parley_models: Array(257).fill("a") }, "the token's claim parley_models must be a list of up to 256 patterns"],
    [{ parley_models: [] }, "the token's claim parley_models has no pattern; leave it out for all models"],
    [{ parley_models: null }, "the token's claim parley_models must be a list of up to 256 patterns"],
    [{ parley_limits: 5 }, "the token's claim parley_limits has limits that can't be taken: "],
    [{ parley_limits: null }, "the token's claim parley_limits has limits that can't be taken: "],
    [{ parley_limits: { request_per_minute: 5 } }, "the token's claim parley_limits has limits that can't be taken: "],
    [
      { parley_limits: { concurrent: 0 } },
      "the token's claim parley_limits has limits that can't be taken: concurrent is 0",
    ],
  ])("and refuses %j", async (claims, message) => {
    const issuer = await startIssuer();
    const token = await issuer.sign(claims);
    const failure = await failureOf(() => verifierOf(issuer)(token));
    expect(failure.slice(0, 17 + message.length)).toBe(`INVALID_API_KEY: ${message}`);
  });
});

describe("createTokens() refuses", () => {
  const hour = 3_600;
  const at = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

  it.each<[what: string, claims: Claims, message: string]>([
    ["an expired one", { exp: at(-60) }, "the token has expired"],
    ["one that is not valid yet", { nbf: at(hour) }, "the token is not valid yet (nbf)"],
    [
      "one of another issuer",
      { iss: "https://evil.example" },
      "the token is not of the issuer that this gateway knows (iss)",
    ],
    ["one of no issuer", { iss: undefined }, "the token is not of the issuer that this gateway knows (iss)"],
    ["one for somebody else", { aud: "other" }, "the token is for somebody else (aud)"],
    ["one for nobody", { aud: undefined }, "the token is for somebody else (aud)"],
    ["one without an end", { exp: undefined }, "the token has no end (exp)"],
    ["one without a subject", { sub: undefined }, "the token has no subject (sub)"],
    ["an end that is no number", { exp: "tomorrow" }, "the token has no end (exp)"],
  ])("%s", async (_what, claims, message) => {
    const issuer = await startIssuer();
    const token = await issuer.sign(claims);
    expect(await failureOf(() => verifierOf(issuer)(token))).toBe(`INVALID_API_KEY: ${message}`);
  });

  it("not what is off by the tolerance", async () => {
    const issuer = await startIssuer();
    const verify = verifierOf(issuer);
    for (const claims of [{ exp: at(-20) }, { nbf: at(20) }]) {
      expect(await failureOf(async () => verify(await issuer.sign(claims)))).toBe("none");
    }
  });

  it("alg none, whatever its spelling", async () => {
    const issuer = await startIssuer();
    const token = await issuer.sign();
    for (const alg of ["none", "None", "NONE", ""]) {
      expect(await failureOf(() => verifierOf(issuer)(`${forge(token, { alg })}x`))).toMatch(
        /^INVALID_API_KEY: the token /,
      );
    }
  });

  it("a signature by HMAC with the public key as its secret", async () => {
    const key = await createSigningKey("one", "RS256");
    const issuer = await startIssuer(key);
    const pem = await exportSPKI((await importJWK(key.jwk, "RS256")) as never);
    const secrets = [pem, pem.trim(), JSON.stringify(key.jwk), String(key.jwk.n)];
    for (const secret of secrets) {
      const token = forge(await issuer.sign(), { alg: "HS256", kid: "one" }, (input) =>
        createHmac("sha256", secret).update(input).digest("base64url"),
      );
      expect(await failureOf(() => verifierOf(issuer)(token))).toBe(
        "INVALID_API_KEY: the token is signed by an algorithm that this gateway does not take",
      );
    }
  });

  it("an algorithm that the key is not for, or that the settings don't name", async () => {
    const issuer = await startIssuer(await createSigningKey("one", "ES384"));
    expect(await failureOf(async () => verifierOf(issuer)(await issuer.sign()))).toBe(
      "INVALID_API_KEY: the token is signed by an algorithm that this gateway does not take",
    );
  });

  it("another's signature under the same kid, and a signature of other claims", async () => {
    const issuer = await startIssuer();
    const verify = verifierOf(issuer);
    const stranger = await createSigningKey("one");
    const [head, , signature] = (await issuer.sign()).split(".");
    const tokens = [
      await issuer.sign({}, {}, stranger),
      `${head}.${encode({ ...decode((await issuer.sign()).split(".")[1]), sub: "eve" })}.${signature}`,
    ];
    for (const token of tokens) {
      expect(await failureOf(() => verify(token))).toBe("INVALID_API_KEY: the token has a wrong signature");
    }
  });

  it("keys that a token brings along or points to", async () => {
    const issuer = await startIssuer();
    const evil = await createSigningKey("one");
    const away = await startIssuer(evil);
    const { jwksUrl } = away.settings;
    for (const header of [{ jwk: evil.jwk }, { jku: jwksUrl }, { x5u: jwksUrl }, { x5c: ["AAAA"] }, { kid: jwksUrl }]) {
      const token = await issuer.sign({}, header as never, evil);
      expect(await failureOf(() => verifierOf(issuer)(token))).toMatch(/^INVALID_API_KEY: the token (?:has|is) /);
    }
    expect(away.reads).toBe(0);
  });

  it("what is no token, without a word of it", async () => {
    const issuer = await startIssuer();
    const verify = verifierOf(issuer);
    const good = await issuer.sign();
    const [head, claims, signature] = good.split(".");
    const bad = [
      "s3cr3t.s3cr3t.s3cr3t",
      `${head}.s3cr3t.${signature}`,
      `s3cr3t.${claims}.${signature}`,
      `${head}.${claims}.s3cr3t`,
      `${encode("s3cr3t")}.${claims}.${signature}`,
      `${encode({ alg: "ES256", kid: "one", crit: ["s3cr3t"], s3cr3t: true })}.${claims}.${signature}`,
      `${encode({ alg: "ES256", kid: "one", crit: ["b64"], b64: false })}.${claims}.${signature}`,
      `${encode({ alg: "ES256", kid: { s3cr3t: 1 } })}.${claims}.${signature}`,
      `${encode({ alg: ["ES256"], kid: "one" })}.${claims}.${signature}`,
    ];
    for (const token of bad) {
      const failure = await failureOf(() => verify(token));
      expect(failure).toMatch(/^INVALID_API_KEY: the token /);
      expect(failure).not.toContain("s3cr3t");
    }
  });

  it("kids of all kinds, with one reading of the keys", async () => {
    const issuer = await startIssuer();
    const verify = verifierOf(issuer);
    const kids = [
      "../../etc/passwd",
      "/dev/null",
      "https://evil.example/jwks.json",
      "' or 1=1 --",
      "one\0",
      "x".repeat(8_000),
      "__proto__",
      ...Array.from({ length: 100 }, (_, index) => `unknown-${index}`),
    ];
    const failures = await Promise.all(
      kids.map(async (kid) => failureOf(async () => verify(await issuer.sign({}, { kid })))),
    );
    expect([...new Set(failures)]).toEqual([
      "INVALID_API_KEY: the token is signed by a key that its issuer does not have",
    ]);
    expect(issuer.reads).toBe(1);
  });
});

describe("createTokens() keeps", () => {
  it("what it has found good: the same caller, at once, with one reading of the keys", async () => {
    const issuer = await startIssuer();
    const verify = verifierOf(issuer);
    const token = await issuer.sign();
    const first = await verify(token);
    expect(verify(token)).toBe(first);
    expect(await verify(await issuer.sign({ sub: "bob" }))).toMatchObject({ id: "jwt:bob" });
    expect(issuer.reads).toBe(1);
  });

  it("checks a token once, however many calls come with it", async () => {
    const issuer = await startIssuer();
    const verify = verifierOf(issuer);
    const token = await issuer.sign();
    const callers = await Promise.all(Array.from({ length: 50 }, () => verify(token)));
    expect(new Set(callers).size).toBe(1);
  });

  it("a good token until it ends", async () => {
    const issuer = await startIssuer();
    let now = Date.now();
    const verify = verifierOf(issuer, { now: () => now });
    const token = await issuer.sign({ exp: Math.floor(now / 1000) + 10 });
    const caller = await verify(token);
    now += 39_000;
    expect(verify(token)).toBe(caller);
    now += 2_000;
    expect(await failureOf(() => verify(token))).toBe("INVALID_API_KEY: the token has expired");
  });

  it("and for five minutes at most, because its key may be taken back", async () => {
    const issuer = await startIssuer();
    let now = Date.now();
    const verify = verifierOf(issuer, { now: () => now });
    const token = await issuer.sign();
    const caller = await verify(token);
    now += 301_000;
    expect(verify(token)).not.toBe(caller);
  });
});

describe("createTokens() reads the keys of the issuer", () => {
  it("again for a key that is new", async () => {
    const issuer = await startIssuer();
    const verify = verifierOf(issuer, { cooldownMs: 0 });
    await verify(await issuer.sign());
    const next = await createSigningKey("two", "RS256");
    issuer.shown = [...issuer.shown, next.jwk];
    expect(await verify(await issuer.sign({ sub: "bob" }, {}, next))).toMatchObject({ id: "jwt:bob" });
    expect(issuer.reads).toBe(2);
  });

  it("and takes none any more that is gone", async () => {
    const issuer = await startIssuer();
    const verify = verifierOf(issuer, { cooldownMs: 0 });
    await verify(await issuer.sign());
    const next = await createSigningKey("two");
    issuer.shown = [next.jwk];
    await verify(await issuer.sign({}, {}, next));
    expect(await failureOf(async () => verify(await issuer.sign({ sub: "bob" })))).toBe(
      "INVALID_API_KEY: the token is signed by a key that its issuer does not have",
    );
  });

  it("tries each one that suits a token that names none", async () => {
    const issuer = await startIssuer();
    const verify = verifierOf(issuer);
    const [two, three] = [await createSigningKey("two"), await createSigningKey("three")];
    issuer.shown = [...issuer.shown, two.jwk];
    const unnamed = { kid: undefined };
    expect(await verify(await issuer.sign({}, unnamed as never, two))).toMatchObject({ id: "jwt:ada" });
    expect(await failureOf(async () => verify(await issuer.sign({}, unnamed as never, three)))).toBe(
      "INVALID_API_KEY: the token has a wrong signature",
    );
    expect(await failureOf(async () => verify(await issuer.sign({ aud: "x" }, unnamed as never, two)))).toBe(
      "INVALID_API_KEY: the token is for somebody else (aud)",
    );
  });

  const AWAY = "UNAVAILABLE: tokens can't be checked now, because their issuer's keys can't be read";

  it.each([
    ["an error", { status: 500, body: "s3cr3t" }],
    ["a redirect", { status: 302, body: "" }],
    ["no JSON", { status: 200, body: "<html>" }],
    ["no keys", { status: 200, body: "{}" }],
  ])("and says that they can't be read for %s, asking once, whoever calls", async (_what, fault) => {
    const issuer = await startIssuer();
    const warn = vi.fn();
    const verify = verifierOf(issuer, { logger: { warn } });
    issuer.fault = fault;
    const tokens = await Promise.all(["a", "b", "c"].map((sub) => issuer.sign({ sub })));
    expect(await Promise.all(tokens.map((token) => failureOf(() => verify(token))))).toEqual([AWAY, AWAY, AWAY]);
    expect(await failureOf(() => verify(tokens[0] ?? ""))).toBe(AWAY);
    expect(issuer.reads).toBe(1);
    expect(warn.mock.calls.map(([, message]) => message)).toContain("the keys of the issuer of tokens can't be read");
  });

  it("goes on with those that it has while the issuer is away", async () => {
    const issuer = await startIssuer();
    const verify = verifierOf(issuer, { cooldownMs: 0 });
    await verify(await issuer.sign());
    const next = await createSigningKey("two");
    const token = await issuer.sign({ sub: "bob" });
    const unknown = await issuer.sign({}, {}, next);
    issuer.stop();
    expect(await verify(token)).toMatchObject({ id: "jwt:bob" });
    expect(await failureOf(() => verify(unknown))).toBe(AWAY);
  });

  it("and refuses private and symmetric ones", async () => {
    const issuer = await startIssuer();
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    issuer.shown = [
      { ...(await exportJWK(privateKey)), kid: "private", alg: "ES256" },
      { kty: "oct", k: Buffer.from("s3cr3t").toString("base64url"), kid: "secret", alg: "HS256" },
    ];
    const verify = verifierOf(issuer);
    const own = await createSigningKey("private");
    expect(await failureOf(async () => verify(await issuer.sign({}, {}, own)))).toMatch(/^UNAVAILABLE: /);
    const token = forge(await issuer.sign(), { alg: "HS256", kid: "secret" }, (input) =>
      createHmac("sha256", "s3cr3t").update(input).digest("base64url"),
    );
    expect(await failureOf(() => verify(token))).toMatch(/^INVALID_API_KEY: /);
  });
});
