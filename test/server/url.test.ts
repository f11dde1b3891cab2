import { describe, expect, it } from "vitest";
import { formatUrl } from "../../src/server/url.ts";

describe("formatUrl()", () => {
  it.each([
    ["http", "127.0.0.1", "http://127.0.0.1:8080"],
    ["https", "::1", "https://[::1]:8080"],
    ["http", "0.0.0.0", "http://127.0.0.1:8080"],
    ["http", "::", "http://[::1]:8080"],
    ["http", "10.1.2.3", "http://10.1.2.3:8080"],
  ] as const)("%s on %s is %s", (scheme, host, url) => {
    expect(formatUrl(scheme, { host, port: 8080 })).toBe(url);
  });
});
