import { describe, expect, it } from "vitest";
import { readBearer } from "../../src/admission/bearer.ts";
import { failureOf } from "./support/reason.ts";

describe("readBearer()", () => {
  it.each([
    ["Bearer abc", "abc"],
    ["bearer abc", "abc"],
    ["BEARER   a-b._~+/9==  ", "a-b._~+/9=="],
    [`Bearer ${"x".repeat(16_377)}`, "x".repeat(16_377)],
  ])("reads %j", (authorization, text) => {
    expect(readBearer({ authorization })).toBe(text);
  });

  const expected = "send one key or token as `Authorization: Bearer …`";

  it.each<[header: string | string[] | undefined, message: string]>([
    [undefined, `there is no key: ${expected}`],
    ["", `there is no key: ${expected}`],
    [["Bearer a", "Bearer b"], `there are several keys: ${expected}`],
    ...[
      "s3cr3t",
      "Basic czNjcjN0",
      "Bearer",
      "Bearer ",
      "Bearers s3cr3t",
      "Bearer s3cr3t, Bearer s3cr3t",
      "Bearer s3cr3t s3cr3t",
      "Bearer\ts3cr3t",
      " Bearer s3cr3t",
      "Bearer s3cr3t\r\nx-evil: 1",
      "Bearer s3cr3t\0",
      "Bearer ŝ3cr3t",
      "Bearer a=s3cr3t",
      'Bearer "s3cr3t"',
    ].map((header): [string, string] => [header, `the header Authorization is not understood: ${expected}`]),
    [`Bearer ${"x".repeat(16_378)}`, "the header Authorization is longer than 16384 characters"],
  ])("refuses %j, and does not repeat it", async (header, message) => {
    const authorization = header as string;
    expect(await failureOf(() => readBearer({ authorization }))).toBe(`INVALID_API_KEY: ${message}`);
  });
});
