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

  it.each(["auto", ""])("rejects %j as the model behind auto", async (model) => {
    expect(await problemsOf(loadText(`auto_model: "${model}"`))).toEqual([
      `parley.yaml: auto_model: "${model}" must be the name of another model, such as "sandbox/eliza"`,
    ]);
  });

  it("rejects more time for the headers than for the request", async () => {
    expect(await problemsOf(loadText("timeouts: { request: 5s }"))).toEqual([
      "parley.yaml: timeouts.headers: 10s must be <= timeouts.request, 5s",
    ]);
  });
});
