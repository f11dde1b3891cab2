import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { faultWithoutSecrets, withoutSecrets } from "../../src/upstream/without-secrets.ts";

const endpoint = {
  query: "api-version=2026-10-21-preview&sig=ab%2Fcd%3Dwords&short=1&a-whole-secret",
  secretHeaders: { authorization: "Bearer plain words", "x-team": "team-of-blue" },
};

describe("withoutSecrets()", () => {
  it.each([
    ["a key, without the word before it", "plain words", "[redacted]"],
    ["a header of the configuration", "no team-of-blue here", "no [redacted] here"],
    ["a value of the query", "GET /v1?sig=ab%2Fcd%3Dwords", "GET /v1?sig=[redacted]"],
    ["a value of the query, decoded", "ab/cd=words is wrong", "[redacted] is wrong"],
    ["what has no name in the query", "what is a-whole-secret?", "what is [redacted]?"],
    ["nothing of the version of the API", "2026-10-21-preview is old", "2026-10-21-preview is old"],
    ["nothing that is as short as a word", "1 of 1", "1 of 1"],
  ])("takes out %s", (_what, text, clean) => {
    expect(withoutSecrets(endpoint, text)).toBe(clean);
  });
});

describe("faultWithoutSecrets()", () => {
  it("cleans message and param, and keeps the rest", () => {
    const fault = new GatewayError(Reason.INVALID_REQUEST, "acme: team-of-blue", {
      param: "team-of-blue",
      code: "odd",
    });
    const clean = faultWithoutSecrets(endpoint, fault) as GatewayError;
    expect(clean.message).toBe("acme: [redacted]");
    expect(clean.reason).toBe(Reason.INVALID_REQUEST);
    expect(clean.details).toMatchObject({ param: "[redacted]", code: "odd" });
  });

  it("returns a fault without secrets as it is", () => {
    const fault = new GatewayError(Reason.INVALID_REQUEST, "acme: no", {});
    expect(faultWithoutSecrets(endpoint, fault)).toBe(fault);
  });
});
