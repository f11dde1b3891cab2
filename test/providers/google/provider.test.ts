import { describe, expect, it } from "vitest";
import { bodyOf, encode, errorOf, google } from "./support.ts";

describe("createGoogle()", () => {
  it("keeps the key out of addresses and out of what is shown", () => {
    const provider = google({ api_key: "k", headers: { "X-Goog-User-Project": "p", "X-Api-Token": "t" } });
    expect(provider.endpoint).toEqual({
      baseUrl: "https://generativelanguage.googleapis.com/v1beta",
      query: "",
      headers: {},
      secretHeaders: { "x-goog-api-key": "k", "x-goog-user-project": "p", "x-api-token": "t" },
    });
  });

  it("goes where the configuration says", () => {
    const { baseUrl, query, secretHeaders } = google({
      base_url: "https://proxy.example/google/?a=b",
      api_version: "v1",
    }).endpoint;
    expect([baseUrl, query, secretHeaders]).toEqual(["https://proxy.example/google/v1", "a=b", {}]);
  });

  it.each([
    ["gemini-3-flash", false, "/models/gemini-3-flash:generateContent"],
    ["gemini-3-flash", true, "/models/gemini-3-flash:streamGenerateContent?alt=sse"],
    ["models/gemini-3-flash", false, "/models/gemini-3-flash:generateContent"],
    ["tunedModels/mine-1", false, "/tunedModels/mine-1:generateContent"],
    ["../x?y#z/a:b", false, "/models/..%2Fx%3Fy%23z%2Fa%3Ab:generateContent"],
  ])("calls %j (stream: %s) at %s", (model, streaming, path) => {
    expect(encode({}, model, { streaming }).request.path).toBe(path);
  });

  it("asks rules of the configuration before its own table, question by question", () => {
    const provider = google({
      models: [
        { match: "^mine-", thinking: "budget", max_thinking_budget: 1000, thinking_off: true },
        { match: "mine|flash", max_candidates: 3, max_thinking_budget: 5 },
      ],
    });
    const budget = (effort: string, model: string) =>
      bodyOf({ reasoning_effort: effort, n: 3 }, model, { provider })["generationConfig"];
    expect(budget("high", "mine-1")).toEqual({
      candidateCount: 3,
      thinkingConfig: { thinkingBudget: 1000, includeThoughts: true },
    });
    expect(budget("none", "mine-1")).toEqual({ candidateCount: 3, thinkingConfig: { thinkingBudget: 0 } });
    expect(budget("low", "gemini-9-flash")).toEqual({
      candidateCount: 3,
      thinkingConfig: { thinkingLevel: "LOW", includeThoughts: true },
    });
  });

  it("refuses a rule that is no regular expression", () => {
    const error = errorOf(() => google({ models: [{ match: "a" }, { match: "(" }] }));
    expect([error.reasonName, error.details.param]).toEqual(["INVALID_VALUE", "models[1].match"]);
  });
});

describe("the list of models", () => {
  it("is read page by page", () => {
    const provider = google();
    expect(provider.modelsRequest).toEqual({ method: "GET", path: "/models?pageSize=1000" });
    const page = provider.decodeModels(
      JSON.stringify({
        models: [
          {
            name: "models/a",
            description: "A",
            inputTokenLimit: 10,
            outputTokenLimit: 5,
            supportedGenerationMethods: ["generateContent", "countTokens"],
          },
          { name: "models/embed", supportedGenerationMethods: ["embedContent"] },
          { name: "tunedModels/t", displayName: "T", supportedGenerationMethods: ["generateContent"] },
          null,
        ],
        nextPageToken: "a/b",
      }),
    );
    expect(page.models).toMatchObject([
      { id: "a", created: 0n, ownedBy: "google", description: "A", contextWindow: 10, maxOutputTokens: 5 },
      { id: "tunedModels/t", description: "T" },
    ]);
    expect(page.models).toHaveLength(2);
    expect(page.next).toEqual({ method: "GET", path: "/models?pageSize=1000&pageToken=a%2Fb" });
    expect(provider.decodeModels("{}")).toEqual({ models: [], next: undefined });
  });

  it.each(["", "[]", "<html>", '{"data":[]}'])("is none in %j", (body) => {
    expect(errorOf(() => google().decodeModels(body)).reasonName).toBe("UPSTREAM_INVALID_RESPONSE");
  });
});
