/** What would be sent is told to the byte, without secrets, and without calling anybody. */
import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type { ExplainChatCompletionResponse } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { type ChatCompletionParams, ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { Adjustment_Action } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { readMessages, runBufCurl } from "../clients/buf-curl.ts";
import { TYPED_DOORS } from "../support/typed-doors.ts";
import { KEY, useVendors } from "../support/use-vendors.ts";
import type { Vendors } from "../support/vendors.ts";

const SECRET = "secret-that-nobody-sees";
const QUERY = `?api-version=preview&key=${SECRET}&code=${SECRET}`;
const HEADERS = { "X-Api-Token": SECRET, "x-team": SECRET };

const secretive = ({ baseUrl }: Vendors): readonly JsonObject[] => [
  {
    id: "openai",
    openai_compatible: {
      base_url: baseUrl("openai", "openai") + QUERY,
      api_key: KEY,
      vendor: "openai",
      headers: HEADERS,
    },
  },
  {
    id: "azure",
    openai_compatible: {
      base_url: baseUrl("azure", "openai") + QUERY,
      api_key: KEY,
      vendor: "azure",
      headers: HEADERS,
    },
  },
  {
    id: "anthropic",
    anthropic: {
      base_url: baseUrl("anthropic", "anthropic") + QUERY,
      api_key: KEY,
      headers: HEADERS,
      beta: ["files-api-2025-04-14"],
    },
  },
  { id: "google", google: { base_url: baseUrl("google", "google") + QUERY, api_key: KEY, headers: HEADERS } },
];

const { vendors, gateway, typed } = useVendors({
  providers: secretive,
  change: { mediaFetch: { enabled: true } },
});

const paramsOf = (body: JsonObject): ChatCompletionParams => decodeJson(ChatCompletionParamsSchema, body);

const post = (path: string, body: JsonObject): Promise<Response> =>
  fetch(`${gateway().url}/v1/chat/completions${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

/** A request that is explained, whichever door it was asked at. */
interface Explained {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const requestOf = ({ upstreamRequest: told }: ExplainChatCompletionResponse): Explained | undefined =>
  told && { method: told.method, url: told.url, headers: told.headers, body: told.bodyJson };

const SHOWN_QUERY = "api-version=preview&key=[redacted]&code=[redacted]";

/** Headers that the connection has and not the request. */
const OF_CONNECTION = ["host", "connection", "content-length"];

const CASES: readonly (readonly [model: string, secretHeaders: readonly string[], own: object, adjusted: string])[] = [
  ["openai/gpt-5", ["authorization", "x-api-token", "x-team"], {}, "temperature=dropped"],
  ["azure/my-deployment", ["api-key", "x-api-token", "x-team"], {}, ""],
  [
    "anthropic/claude-opus-4-7",
    ["x-api-key", "x-api-token", "x-team"],
    { "anthropic-version": "2023-06-01", "anthropic-beta": "files-api-2025-04-14" },
    "temperature=dropped",
  ],
  ["google/gemini-3-flash-preview", ["x-goog-api-key", "x-api-token", "x-team"], {}, ""],
];

describe("an explanation", () => {
  it.each(CASES)("is what is sent then, but for secrets: %s", async (model, secretHeaders, own, adjusted) => {
    const messages = [
      { role: "system", content: "Be brief." },
      { role: "user", content: 'Grüße, \u{1f44b} and "quotes"' },
    ];
    for (const stream of [false, true]) {
      const body = { model, messages, temperature: 0.25, max_completion_tokens: 300, stream };
      const before = vendors().calls().length;
      const explanations: Explained[] = [];
      for (const name of TYPED_DOORS) {
        const answer = await typed(name).chat.explainChatCompletion({ params: paramsOf(body) });
        expect(`${answer.provider}/${answer.model}`).toBe(model);
        expect(
          answer.adjustments.map((one) => `${one.path}=${Adjustment_Action[one.action].toLowerCase()}`).join(),
        ).toBe(adjusted);
        explanations.push(requestOf(answer) as Explained);
      }
      const told = await (await post("/explain", body)).text();
      const { upstream_request: request, ...rest } = JSON.parse(told) as { upstream_request: Explained };
      expect(rest).toMatchObject({ provider: model.split("/")[0], model: model.split("/")[1] });
      expect(vendors().calls().length).toBe(before);

      await (await post("", body)).text();
      const sent = vendors().calls()[before]?.request;
      const headers = Object.fromEntries(
        Object.entries(sent?.headers ?? {})
          .filter(([name]) => !OF_CONNECTION.includes(name))
          .map(([name, value]) => [name, secretHeaders.includes(name) ? "[redacted]" : value]),
      );
      const expected = {
        method: sent?.method,
        url: vendors().upstream.url + sent?.path.replace(QUERY.slice(1), SHOWN_QUERY),
        headers,
        body: sent?.body,
      };
      expect(explanations).toEqual([expected, expected, expected]);
      // On REST the body stands as JSON, whose text is the same.
      expect({ ...request, body: JSON.stringify(request.body) }).toEqual(expected);
      expect(headers).toMatchObject(own);
      expect([SECRET, KEY].filter((secret) => (told + JSON.stringify(explanations)).includes(secret))).toEqual([]);
      expect(sent?.path).toContain(QUERY.slice(1));
      expect(secretHeaders.map((name) => sent?.headers[name])).toEqual([expect.stringContaining(KEY), SECRET, SECRET]);
    }
  });
});

describe("an explanation of what would be fetched", () => {
  it("has a mark in its place, and nobody is asked for it", async () => {
    const url = "https://media.invalid/cat.png";
    const image = { type: "image_url", image_url: { url } };
    const body = { model: "google/gemini-3-flash-preview", messages: [{ role: "user", content: [image] }] };
    const answer = await typed("grpc").chat.explainChatCompletion({ params: paramsOf(body) });
    expect(JSON.parse(answer.upstreamRequest?.bodyJson ?? "")).toEqual({
      contents: [{ role: "user", parts: [{ inlineData: { mimeType: "image/png", data: `[fetched from ${url}]` } }] }],
    });
  });
});

describe("buf curl", () => {
  it("explains", async () => {
    const params = {
      model: "anthropic/claude-haiku-4-5",
      messages: [{ role: "ROLE_USER", content: [{ text: "Hi" }] }],
      stream: true,
      topP: 1,
      temperature: 2,
    };
    const url = `${gateway().url}/parley.chat.v1.ChatService/ExplainChatCompletion`;
    const flags = ["--schema", "proto", "--protocol", "connect"];
    const { status, stdout, stderr } = await runBufCurl(...flags, "-d", JSON.stringify({ params }), url);
    expect([status, stderr]).toEqual([0, ""]);
    expect(readMessages(stdout)).toMatchObject([
      {
        provider: "anthropic",
        model: "claude-haiku-4-5",
        adjustments: [{ path: "temperature", action: "ACTION_CLAMPED", before: 2, after: 1 }],
        upstreamRequest: {
          method: "POST",
          headers: { "x-api-key": "[redacted]", accept: "text/event-stream, application/json" },
          bodyJson:
            '{"model":"claude-haiku-4-5","max_tokens":64000,"stream":true,"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],"temperature":1}',
        },
      },
    ]);
  });
});

describe("a strict explanation", () => {
  it("fails as the call would", async () => {
    const body = { model: "openai/gpt-5", messages: [{ role: "user", content: "Hi" }], temperature: 0.5 };
    const answer = await fetch(`${gateway().url}/v1/chat/completions/explain`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-parley-strict": "true" },
      body: JSON.stringify(body),
    });
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { error: { code: "unsupported_parameter", param: "temperature" } },
    ]);
  });
});
