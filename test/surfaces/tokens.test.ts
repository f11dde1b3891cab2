/** Tokens of an issuer: what they say of their subject holds on every door, and what is wrong with one is told alike. */
import { Code } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { failureOf } from "../support/collect.ts";
import type { DoorError } from "../support/door-error.ts";
import { DOORS, openDoor, type Params } from "../support/doors.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startIssuer } from "../support/issuer.ts";

const ask = (model: string): Params => ({
  model,
  messages: [{ role: Role.USER, content: [{ kind: { case: "text", value: "a" } }] }],
});

it.each(DOORS)("tokens say on %s who calls, what they may do, and how much", async (name) => {
  const issuer = await startIssuer();
  const { issuer: iss, audience, jwksUrl } = issuer.settings;
  const gateway = await startTestGateway({
    auth: { jwt: { issuer: iss, audience, jwks_url: jwksUrl, scope_prefix: "parley:" } },
  });
  const door = openDoor(name, gateway.url);
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  const refusal = async (token: string, model = "sandbox/echo"): Promise<unknown[]> => {
    const { status, code, message } = (await failureOf(door.complete(ask(model), bearer(token)))) as DoorError;
    expect(message).not.toContain(token.slice(0, 20));
    return [name === "rest" ? status : Code[status ?? 0], code];
  };
  const told = (status: number, rpc: keyof typeof Code, code: string) => [name === "rest" ? status : rpc, code];
  const unknown = told(401, "Unauthenticated", "invalid_api_key");
  const denied = told(403, "PermissionDenied", "permission_denied");
  try {
    const scope = "openid parley:chat parley:nothing";
    const token = await issuer.sign({ scope, sub: "bob", parley_models: ["sandbox/echo"] });
    expect((await door.complete(ask("sandbox/echo"), bearer(token))).choices).toHaveLength(1);
    expect(await refusal(token, "sandbox/eliza")).toEqual(denied);
    expect(await refusal(await issuer.sign({ scope: "chat" }))).toEqual(denied);

    const limited = await issuer.sign({ scope, sub: "eve", parley_limits: { requests_per_minute: 1 } });
    await door.complete(ask("sandbox/echo"), bearer(limited));
    const again = await issuer.sign({ scope, sub: "eve", jti: "2", parley_limits: { requests_per_minute: 1 } });
    expect(await refusal(again)).toEqual(told(429, "ResourceExhausted", "rate_limit_exceeded"));

    const now = Math.floor(Date.now() / 1000);
    const [header = "", payload = ""] = token.split(".");
    const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
    for (const wrong of [
      `${none}.${payload}.`,
      `${none}.${payload}.x`,
      `${header}.${payload}.${"A".repeat(86)}`,
      await issuer.sign({ scope, aud: "another" }),
      await issuer.sign({ scope, iss: "https://evil.example" }),
      await issuer.sign({ scope, exp: now - 3_600 }),
      await issuer.sign({ scope, exp: undefined }),
      await issuer.sign({ scope, sub: undefined }),
      await issuer.sign({ scope, nbf: now + 3_600 }),
      await issuer.sign({ scope }, { kid: "../../../../etc/passwd" }),
      await issuer.sign({ scope }, { kid: "https://evil.example/key", jku: "https://evil.example/jwks.json" }),
      `${"a".repeat(20_000)}.${payload}.x`,
    ]) {
      expect(await refusal(wrong)).toEqual(unknown);
    }
    expect(issuer.reads).toBeLessThanOrEqual(3);
  } finally {
    door.close();
    await gateway.stop();
  }
});
