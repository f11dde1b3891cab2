import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from "jose";
import { onTestFinished } from "vitest";
import type { JwtSettings } from "../../src/config/settings.ts";

/** A key that an issuer signs with. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  /** What the issuer shows of it. */
  readonly jwk: JWK;
}

/** An issuer of tokens: its public keys are at an address, as others' are. */
export interface TestIssuer {
  /** Settings that take its tokens. */
  readonly settings: JwtSettings;
  /** What is shown as its public keys. */
  shown: readonly JWK[];
  /** What it answers with, while it is not well. */
  fault: { readonly status: number; readonly body: string } | undefined;
  /** How often its keys were read. */
  readonly reads: number;
  /** Signs a token that ends in an hour; claims and header of one's own win, and undefined ones are left out. */
  sign(
    claims?: Readonly<Record<string, unknown>>,
    header?: Partial<JWTHeaderParameters>,
    key?: SigningKey,
  ): Promise<string>;
  /** Does not answer any more. */
  stop(): void;
}

/** Makes a key. */
export async function createSigningKey(kid: string, alg = "ES256"): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

/** Starts an issuer with one key for the test that runs. */
export async function startIssuer(own?: SigningKey): Promise<TestIssuer> {
  const signingKey = own ?? (await createSigningKey("one"));
  const state = { shown: [signingKey.jwk] as readonly JWK[], fault: undefined as TestIssuer["fault"], reads: 0 };
  const server = createServer((_request, response) => {
    state.reads += 1;
    const { status, body } = state.fault ?? { status: 200, body: JSON.stringify({ keys: state.shown }) };
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  onTestFinished(stop);
  const { port } = server.address() as AddressInfo;
  const settings: JwtSettings = {
    issuer: "https://id.example",
    audience: "parley",
    jwksUrl: `http://127.0.0.1:${port}/jwks.json`,
    algorithms: ["RS256", "PS256", "ES256", "EdDSA"],
    scopesClaim: "scope",
    scopePrefix: "",
    modelsClaim: "parley_models",
    limitsClaim: "parley_limits",
    clockToleranceMs: 30_000,
  };
  return {
    settings,
    get shown() {
      return state.shown;
    },
    set shown(keys) {
      state.shown = keys;
    },
    get fault() {
      return state.fault;
    },
    set fault(fault) {
      state.fault = fault;
    },
    get reads() {
      return state.reads;
    },
    sign(claims = {}, header = {}, key = signingKey) {
      const now = Math.floor(Date.now() / 1000);
      const payload = { iss: settings.issuer, aud: settings.audience, sub: "ada", exp: now + 3_600, ...claims };
      // JSON has no undefined: what is set to it is left out.
      return new SignJWT(payload).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey);
    },
    stop,
  };
}
