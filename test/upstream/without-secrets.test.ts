import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { faultWithoutSecrets, withoutSecrets } from "../../src/upstream/without-secrets.ts";

const ENDPOINT = {
  secretHeaders: { authorization: "Bearer word-of-a-key", "x-team": "short" },
  query: "api-version=2024-10-21&code=abc%2Fdef%2Bghi&wholesecret",
};

describe("withoutSecrets()", () => {
  it.each([
    ["a key", "not word-of-a-key", "not [redacted]"],
    ["a key with its scheme", "Bearer word-of-a-key!", "Bearer [redacted]!"],
    ["a value of the query as it is sent", "/chat?code=abc%2Fdef%2Bghi", "/chat?code=[redacted]"],
    ["a value of the query as servers read it", "code abc/def+ghi is wrong", "code [redacted] is wrong"],
    ["a query without a name", "?wholesecret", "?[redacted]"],
  ])("takes out %s", (_what, text, clean) => {
    expect(withoutSecrets(ENDPOINT, text)).toBe(clean);
  });

  it.each(["api-version 2024-10-21 is too old", "a short text"])("leaves %j as it is", (text) => {
    expect(withoutSecrets(ENDPOINT, text)).toBe(text);
  });

  it("is quiet about an endpoint without any", () => {
    expect(withoutSecrets({ secretHeaders: {}, query: "" }, "text")).toBe("text");
  });
});

describe("faultWithoutSecrets()", () => {
  it("takes them out of what a caller sees", () => {
    const fault = new GatewayError(Reason.INVALID_REQUEST, "no word-of-a-key", { param: "abc/def+ghi", code: "c" });
    const clean = faultWithoutSecrets(ENDPOINT, fault);
    expect(clean).toMatchObject({ reason: fault.reason, message: "no [redacted]" });
    expect(clean).toMatchObject({ details: { param: "[redacted]", code: "c" } });
  });
});
