import { describe, expect, it } from "vitest";
import { loadText, problemsOf } from "./load.ts";

describe("checkSettings()", () => {
  it.each([
    "*",
    "https://app.example",
    "https://app.example:8443",
    "http://[::1]:3000",
    "chrome-extension://abcdef",
  ])("takes the origin %s", async (origin) => {
    const { cors } = await loadText(`cors: { allowed_origins: ["${origin}"] }`);
    expect(cors.allowedOrigins).toEqual([origin]);
  });

  it.each([
    "app.example",
    "https://app.example/",
    "https://app.example/path",
    "https://App.example",
    "https://app.example:443",
    "https://*.example",
    "https://user@app.example",
    "null",
    "capacitor:localhost",
    " https://app.example",
  ])("rejects the origin %j, which no browser sends", async (origin) => {
    expect(await problemsOf(loadText(`cors: { allowed_origins: ["*", "${origin}"] }`))).toEqual([
      `parley.yaml: cors.allowed_origins[1]: ${JSON.stringify(origin)} must be "*", or scheme, host and port as browsers send ` +
        'them, such as "https://app.example"',
    ]);
  });

  it("rejects more time for the headers than for the request", async () => {
    expect(await problemsOf(loadText("timeouts: { request: 5s }"))).toEqual([
      "parley.yaml: timeouts.headers: 10s must be <= timeouts.request, 5s",
    ]);
  });

  it.each<[yaml: string, ...problems: string[]]>([
    ["{ min_calls: 9, window: 8 }", "min_calls: 9 must be <= routing.breaker.window, 8"],
    ["{ window: 4 }", "min_calls: 5 must be <= routing.breaker.window, 4"],
    ["{ open: 3s, max_open: 2.5s }", "open: 3s must be <= routing.breaker.max_open, 2.5s"],
    ["{ open: 11s }", "open: 11s must be <= routing.breaker.max_open, 10s"],
    [
      "{ min_calls: 21, open: 11s }",
      "min_calls: 21 must be <= routing.breaker.window, 20",
      "open: 11s must be <= routing.breaker.max_open, 10s",
    ],
  ])("rejects a breaker that contradicts itself: %s", async (yaml, ...problems) => {
    expect(await problemsOf(loadText(`routing: { breaker: ${yaml} }`))).toEqual(
      problems.map((problem) => `parley.yaml: routing.breaker.${problem}`),
    );
  });

  it("takes a breaker whose bounds are the same", async () => {
    const { routing } = await loadText("routing: { breaker: { min_calls: 3, window: 3, open: 2s, max_open: 2s } }");
    expect(routing.breaker).toMatchObject({ minCalls: 3, window: 3, openMs: 2000, maxOpenMs: 2000 });
  });
});
