import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createSecret, hashSecret, hintOf, isSameHash, isSecret } from "../../src/admission/secret.ts";

describe("createSecret()", () => {
  it("makes secrets of 256 bits that are never the same", () => {
    const secrets = Array.from({ length: 1_000 }, createSecret);
    expect(new Set(secrets).size).toBe(1_000);
    expect(secrets.filter((secret) => !/^sk-parley-[\w-]{43}$/.test(secret) || !isSecret(secret))).toEqual([]);
    expect(Buffer.from(createSecret().slice(10), "base64url").length).toBe(32);
  });
});

describe("isSecret()", () => {
  const secret = `sk-parley-${"A".repeat(43)}`;

  it.each([
    "",
    "sk-parley-",
    secret.slice(1),
    secret.slice(0, -1),
    `${secret}A`,
    `${secret}\n`,
    ` ${secret}`,
    secret.toUpperCase(),
    secret.replace("A", "."),
    secret.replace("A", "'"),
    `${secret.slice(0, -1)}B`,
  ])("knows %j from a secret", (text) => {
    expect([isSecret(secret), isSecret(text)]).toEqual([true, false]);
  });
});

describe("hashSecret()", () => {
  it("is SHA-256", () => {
    expect(hashSecret("sk-parley-x")).toBe(createHash("sha256").update("sk-parley-x").digest("hex"));
  });
});

describe("hintOf()", () => {
  it("shows four characters", () => {
    expect(hintOf("sk-parley-abcdefgh")).toBe("sk-parley-abcd");
  });
});

describe("isSameHash()", () => {
  it.each([
    ["ab", "ab", true],
    ["ab", "aB", false],
    ["ab", "abc", false],
    ["", "", true],
  ])("compares %j with %j", (a, b, same) => {
    expect(isSameHash(a, b)).toBe(same);
  });
});
