import { describe, expect, it } from "vitest";
import { redact } from "../../src/telemetry/redaction.ts";

describe("redact()", () => {
  it.each([
    "authorization",
    "Authorization",
    "proxy-authorization",
    "x-api-key",
    "X-Api-Key",
    "x_api_key",
    "api_key",
    "api-key",
    "apiKey",
    "api_keys",
    "apiKeys",
    "X-Api-Keys",
    "x-goog-api-key",
    "cookie",
    "set-cookie",
    "password",
    "client_secret",
    "access_token",
    "accessToken",
    "private_key",
    "privateKey",
  ])("replaces %s, whatever its value", (key) => {
    const values = ["s3cr3t", ["s3cr3t"], { deep: "s3cr3t" }, 42];
    expect(values.map((value) => redact({ [key]: value }))).toEqual(values.map(() => ({ [key]: "[redacted]" })));
  });

  it("looks into objects and lists", () => {
    expect(redact({ a: [{ headers: { cookie: "s3cr3t", accept: "*/*" } }, 1] })).toEqual({
      a: [{ headers: { cookie: "[redacted]", accept: "*/*" } }, 1],
    });
  });

  it("leaves its input as it was", () => {
    const input = { headers: { cookie: "s3cr3t" }, other: { a: 1 } };
    const output = redact(input);
    expect(input.headers.cookie).toBe("s3cr3t");
    expect(output["other"]).toBe(input.other);
  });

  it("returns the input itself when there is nothing to replace", () => {
    const input = {
      promptTokens: 3,
      tokens: 4,
      key: "id",
      list: [{ a: null }],
      when: new Date(0),
      err: new Error("x"),
    };
    expect(redact(input)).toBe(input);
  });

  it("shows nothing of what is too deep to be looked into", () => {
    const circle: Record<string, unknown> = { cookie: "s3cr3t" };
    circle["inner"] = circle;
    const text = JSON.stringify(redact(circle));
    expect(text).not.toContain("s3cr3t");
    expect(text).toContain("[redacted]");
  });
});
