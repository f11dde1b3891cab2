import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import {
  CallOptionsSchema,
  type CreateChatCompletionRequest,
  CreateChatCompletionRequestSchema,
  CreateChatCompletionResponseSchema,
} from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { ReasoningEffort } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { send, type TestRequest } from "./support/http-client.ts";
import { completionOf, HELLO, recordingOperations } from "./support/operations.ts";
import { startRest } from "./support/rest-server.ts";
import { serviceOf, type TestMethod } from "./support/test-service.ts";

const CHAT = "/v1/chat/completions";

describe("call options of a REST call", () => {
  it.each<[headers: Record<string, string>, options: MessageInitShape<typeof CallOptionsSchema> | undefined]>([
    [{}, undefined],
    [{ "x-parley-strict": "true" }, { strict: true }],
    [{ "x-parley-strict": "false" }, { strict: false }],
    [{ "X-Parley-Strict": " true " }, { strict: true }],
    [
      { "x-parley-strict": "true", "x-parley-include-reasoning": "false" },
      { strict: true, includeReasoning: false },
    ],
    [
      { "x-parley-fallback-models": "a/b, c,,d:e ", "x-parley-hedge-after": "1.5s" },
      { fallbackModels: ["a/b", "c", "d:e"], hedgeAfter: { seconds: 1n, nanos: 500_000_000 } },
    ],
    [{ "x-parley-fallback-models": "" }, undefined],
  ])("come from %j", async (headers, options) => {
    const operations = recordingOperations();
    const { port } = await startRest(operations);
    const bodies = [HELLO, { ...HELLO, stream: true }];
    const statuses = await Promise.all(
      bodies.map(async (body) => (await send(port, { path: CHAT, headers, body })).status),
    );
    expect(statuses).toEqual([200, 200]);
    const expected = options === undefined ? undefined : create(CallOptionsSchema, options);
    expect([operations.created[0]!.request.options, operations.streamed[0]!.request.options]).toEqual([
      expected,
      expected,
    ]);
  });

  it.each<[query: string, options: MessageInitShape<typeof CallOptionsSchema>]>([
    ["options.strict=true", { strict: true }],
    ["options.include_reasoning=false&options.strict=false", { includeReasoning: false, strict: false }],
    ["options.includeReasoning=true", { includeReasoning: true }],
  ])("come from the query %s", async (query, options) => {
    const operations = recordingOperations();
    const { port } = await startRest(operations);
    expect((await send(port, { path: `${CHAT}?${query}`, body: HELLO })).status).toBe(200);
    expect(operations.created[0]!.request.options).toEqual(create(CallOptionsSchema, options));
  });

  it.each<[request: Partial<TestRequest>, message: string, param: string, code: string]>([
    [
      { headers: { "x-parley-strict": "yes" } },
      'header x-parley-strict must be true or false, but is "yes"',
      "x-parley-strict",
      "invalid_value",
    ],
    [
      { headers: { "x-parley-strict": "" } },
      'header x-parley-strict must be true or false, but is ""',
      "x-parley-strict",
      "invalid_value",
    ],
    [
      { path: `${CHAT}?options.strict=1` },
      'query parameter options.strict must be true or false, but is "1"',
      "options.strict",
      "invalid_value",
    ],
    [
      { path: `${CHAT}?options.strict=true&options.strict=true` },
      "query parameter options.strict must not come twice",
      "options.strict",
      "invalid_value",
    ],
    [{ path: `${CHAT}?options=x` }, 'there is no query parameter "options" here', "options", "unsupported_parameter"],
    [
      { path: `${CHAT}?params.model=x` },
      'there is no query parameter "params.model" here',
      "params.model",
      "unsupported_parameter",
    ],
    [
      { path: `${CHAT}?api-version=2024-06-01` },
      'there is no query parameter "api-version" here',
      "api-version",
      "unsupported_parameter",
    ],
    [{ path: `${CHAT}?=x` }, 'there is no query parameter "" here', "", "unsupported_parameter"],
    [{ path: `${CHAT}?a%20b` }, 'there is no query parameter "a b" here', "a b", "unsupported_parameter"],
  ])("are refused in %j", async (request, message, param, code) => {
    const { port } = await startRest({});
    const answer = await send(port, { path: CHAT, body: HELLO, ...request });
    expect([answer.status, answer.json]).toEqual([
      400,
      { error: { message, type: "invalid_request_error", param, code } },
    ]);
  });

  it("takes a query of nothing", async () => {
    const { port } = await startRest(recordingOperations());
    const statuses = await Promise.all(
      ["?", "?&", ""].map(async (query) => (await send(port, { path: `/v1/models${query}` })).status),
    );
    expect(statuses).toEqual([200, 200, 200]);
  });
});

describe("x-parley-timeout-ms", () => {
  it.each<[text: string | undefined, timeoutMs: number | undefined]>([
    [undefined, undefined],
    ["1", 1],
    ["180000", 180_000],
    ["86400000", 86_400_000],
  ])("of %j is %j", async (text, timeoutMs) => {
    const operations = recordingOperations();
    const { port } = await startRest(operations);
    const headers = text === undefined ? {} : { "x-parley-timeout-ms": text };
    expect((await send(port, { path: CHAT, headers, body: HELLO })).status).toBe(200);
    expect(operations.created[0]!.call.timeoutMs).toBe(timeoutMs);
  });

  it.each([
    "0",
    "-1",
    "1.5",
    "1e3",
    "",
    "abc",
    "86400001",
    "1".repeat(40),
    "5, 6",
  ])("of %j is refused", async (text) => {
    const { port } = await startRest({});
    const answer = await send(port, { path: CHAT, headers: { "x-parley-timeout-ms": text }, body: HELLO });
    const error = {
      message: `header x-parley-timeout-ms must be an integer from 1 to 86400000, but is "${text}"`,
      type: "invalid_request_error",
      param: "x-parley-timeout-ms",
      code: "invalid_value",
    };
    expect([answer.status, answer.json]).toEqual([400, { error }]);
  });
});

describe("keys that nobody knows", () => {
  const UNKNOWN = { ...HELLO, stream_options: { include_usage: true, fancy: 1, "odd, key": 2 } };

  it("are named in a header, in one piece and in a stream", async () => {
    const operations = recordingOperations();
    const { port } = await startRest(operations);
    const response_format = { type: "text", ü: 1 };
    const bodies = [
      { ...HELLO, response_format },
      { ...UNKNOWN, stream: true },
    ];
    const answers = await Promise.all(bodies.map((body) => send(port, { path: CHAT, body })));
    expect(answers.map(({ status, headers }) => [status, headers["x-parley-ignored"]])).toEqual([
      [200, 'response_format["%C3%BC"]'],
      [200, 'stream_options.fancy, stream_options["odd%2C%20key"]'],
    ]);
  });

  it("are not named where a message keeps them", async () => {
    const operations = recordingOperations();
    const { port } = await startRest(operations);
    const { status, headers } = await send(port, { path: CHAT, body: { ...HELLO, fancy: 1 } });
    expect([status, headers["x-parley-ignored"]]).toEqual([200, undefined]);
    expect(operations.created[0]!.request.params?.extra).toEqual({ fancy: 1 });
  });

  it.each<[stream_options: object, message: string]>([
    [{ fancy: 1 }, "Unrecognized request argument supplied: stream_options.fancy"],
    [
      { fancy: 1, "odd, key": 2 },
      'Unrecognized request arguments supplied: stream_options.fancy, stream_options["odd, key"]',
    ],
    [
      { fancy: 1, b: 1, c: 1, d: 1, e: 1, f: 1 },
      "Unrecognized request arguments supplied: stream_options.fancy, stream_options.b, stream_options.c, " +
        "stream_options.d, stream_options.e, …",
    ],
  ])("are refused when the call is strict: %j", async (stream_options, message) => {
    const { port } = await startRest({});
    const body = { ...HELLO, stream: true, stream_options };
    const answer = await send(port, { path: CHAT, headers: { "x-parley-strict": "true" }, body });
    const error = {
      message,
      type: "invalid_request_error",
      param: "stream_options.fancy",
      code: "unsupported_parameter",
    };
    expect([answer.status, answer.json]).toEqual([400, { error }]);
  });
});

describe("requests of other routes", () => {
  const method: TestMethod = {
    name: "CreateChatCompletion",
    input: CreateChatCompletionRequestSchema,
    output: CreateChatCompletionResponseSchema,
  };

  /** Serves one rpc under one rule, and gives what its operation is asked. */
  async function ask(rule: NonNullable<TestMethod["rule"]>, request: TestRequest) {
    const asked: CreateChatCompletionRequest[] = [];
    const operations = {
      createChatCompletion: async (message: CreateChatCompletionRequest) => {
        asked.push(message);
        return completionOf("x");
      },
    };
    const { port } = await startRest(operations, { services: [serviceOf({ ...method, rule })] });
    const answer = await send(port, request);
    return { answer, asked: asked[0] };
  }

  it("fill lists, numbers and enums from the query", async () => {
    const rule = { pattern: { case: "get", value: "/{params.model=**}" } } as const;
    const query =
      "params.stop=a&params.stop=b%2Cc&params.n=3&params.temperature=0.5&params.seed=-7&params.reasoning_effort=xhigh&params.user=";
    const { answer, asked } = await ask(rule, { path: `/sandbox/echo?${query}` });
    expect(answer.status).toBe(200);
    expect(asked).toEqual(
      create(CreateChatCompletionRequestSchema, {
        params: {
          model: "sandbox/echo",
          stop: ["a", "b,c"],
          n: 3,
          temperature: 0.5,
          seed: -7n,
          reasoningEffort: ReasoningEffort.XHIGH,
          user: "",
        },
      }),
    );
  });

  it("fill the path's fields over those of a body that is the whole request", async () => {
    const rule = { pattern: { case: "put", value: "/x/{params.model}" }, body: "*" } as const;
    const body = { params: { ...HELLO, model: "theirs" }, options: { strict: false } };
    const { answer, asked } = await ask(rule, {
      method: "PUT",
      path: "/x/ours",
      headers: { "x-parley-strict": "true" },
      body,
    });
    expect(answer.status).toBe(200);
    expect(asked).toMatchObject({ params: { model: "ours" }, options: { strict: true } });
  });

  it("have no query beside a body that is the whole request", async () => {
    const rule = { pattern: { case: "post", value: "/x" }, body: "*" } as const;
    const { answer } = await ask(rule, { path: "/x?options.strict=true", body: { params: HELLO } });
    expect([answer.status, answer.json]).toMatchObject([
      400,
      { error: { param: "options.strict", code: "unsupported_parameter" } },
    ]);
  });
});
