import { describe, expect, it } from "vitest";
import { splitAddress } from "../../src/providers/base-address.ts";

describe("splitAddress()", () => {
  it.each([
    ["https://a.example", "https://a.example", ""],
    ["https://a.example/v1/", "https://a.example/v1", ""],
    ["https://a.example/v1//?api-version=1", "https://a.example/v1", "api-version=1"],
    ["https://a.example?a=1?b", "https://a.example", "a=1?b"],
  ])("takes %s apart", (url, address, query) => {
    expect(splitAddress(url)).toEqual({ address, query });
  });
});
