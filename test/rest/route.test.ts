import type { DescService } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import {
  ChatService,
  CreateChatCompletionRequestSchema,
  CreateChatCompletionResponseSchema,
  ExplainChatCompletionRequestSchema,
  StreamChatCompletionRequestSchema,
  StreamChatCompletionResponseSchema,
} from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import {
  GetModelRequestSchema,
  GetModelResponseSchema,
  ModelsService,
} from "../../src/gen/parley/models/v1/models_service_pb.ts";
import { createRoutes } from "../../src/rest/route.ts";
import { operationsOf } from "./support/rest-server.ts";
import { serviceOf, type TestMethod } from "./support/test-service.ts";

const OPERATIONS = operationsOf({});

describe("createRoutes() of the real services", () => {
  const routes = createRoutes([ChatService, ModelsService], OPERATIONS);

  it.each<[request: string, unary: string, stream: string | undefined, mount: string, variables: string[]]>([
    ["POST /v1/chat/completions", "CreateChatCompletion", "StreamChatCompletion", "/v1", []],
    ["POST /chat/completions", "CreateChatCompletion", "StreamChatCompletion", "", []],
    ["POST /api/v1/chat/completions", "CreateChatCompletion", "StreamChatCompletion", "/api/v1", []],
    ["POST /v3/ai/chat/completions", "CreateChatCompletion", "StreamChatCompletion", "/v3/ai", []],
    ["POST /v3/ai/chat_completions", "CreateChatCompletion", "StreamChatCompletion", "/v3/ai", []],
    ["POST /v1/chat/completions/explain", "ExplainChatCompletion", undefined, "/v1", []],
    ["GET /v1/models", "ListModels", undefined, "/v1", []],
    ["GET /models", "ListModels", undefined, "", []],
    ["GET /api/v1/models", "ListModels", undefined, "/api/v1", []],
    ["GET /api/v1/chat/models", "ListModels", undefined, "/api/v1", []],
    ["GET /v1/models/openai/gpt-4o", "GetModel", undefined, "/v1", ["openai/gpt-4o"]],
    ["GET /models/auto", "GetModel", undefined, "", ["auto"]],
    ["GET /api/v1/models/a:b", "GetModel", undefined, "/api/v1", ["a:b"]],
  ])("%s calls %s", (request, unary, stream, mount, variables) => {
    const [method = "", path = ""] = request.split(" ");
    const match = routes.match(method, path);
    expect(match).toMatchObject({ kind: "found", variables });
    const { value } = match as Extract<typeof match, { kind: "found" }>;
    expect(value.plain.method.name).toBe(unary);
    expect(value.streaming?.target.method.name).toBe(stream);
    expect(value.dialect.mount).toBe(mount);
  });

  it("binds the headers of the call options", () => {
    const match = routes.match("POST", "/v1/chat/completions");
    const { value } = match as Extract<typeof match, { kind: "found" }>;
    const shown = [value.plain, value.streaming!.target].map(({ headers }) =>
      headers.map(({ name, path }) => `${name}: ${path.map((field) => field.name).join(".")}`),
    );
    const expected = [
      "x-parley-strict: options.strict",
      "x-parley-include-reasoning: options.include_reasoning",
      "x-parley-fallback-models: options.fallback_models",
      "x-parley-hedge-after: options.hedge_after",
    ];
    expect(shown).toEqual([expected, expected]);
  });
});

describe("createRoutes()", () => {
  const getModel: TestMethod = { name: "GetModel", input: GetModelRequestSchema, output: GetModelResponseSchema };
  const create: TestMethod = {
    name: "CreateChatCompletion",
    input: CreateChatCompletionRequestSchema,
    output: CreateChatCompletionResponseSchema,
  };
  const stream: TestMethod = {
    name: "StreamChatCompletion",
    input: StreamChatCompletionRequestSchema,
    output: StreamChatCompletionResponseSchema,
    streams: true,
  };
  const post = { pattern: { case: "post", value: "/x" }, body: "params" } as const;
  const get = (path: string) => ({ pattern: { case: "get", value: path } }) as const;

  it.each<[what: string, service: DescService, message: string]>([
    [
      "a path variable of no field",
      serviceOf({ ...getModel, rule: get("/{name}") }),
      'path variable "name": parley.models.v1.GetModelRequest has no such field that one piece of text could fill',
    ],
    [
      "a path variable below a field that is no message",
      serviceOf({ ...getModel, rule: get("/{model.id}") }),
      'path variable "model.id": parley.models.v1.GetModelRequest has no such field that one piece of text could fill',
    ],
    [
      "a path variable of a message",
      serviceOf({ ...create, rule: get("/{params}") }),
      'path variable "params": parley.chat.v1.CreateChatCompletionRequest has no such field that one piece of text could fill',
    ],
    [
      "a path variable of a list",
      serviceOf({ ...create, rule: get("/{params.stop}") }),
      'path variable "params.stop": parley.chat.v1.CreateChatCompletionRequest has no such field that one piece of text could fill',
    ],
    [
      "a body of no field",
      serviceOf({ ...create, rule: { ...post, body: "parameters" } }),
      'CreateChatCompletion at /x, body: parley.chat.v1.CreateChatCompletionRequest has no message field "parameters"',
    ],
    [
      "a body of a scalar",
      serviceOf({ ...getModel, rule: { ...post, body: "model" } }),
      'GetModel at /x, body: parley.models.v1.GetModelRequest has no message field "model"',
    ],
    [
      "a response body of no field",
      serviceOf({ ...create, rule: { ...post, responseBody: "nope" } }),
      'CreateChatCompletion at /x, response_body: parley.chat.v1.CreateChatCompletionResponse has no message field "nope"',
    ],
    [
      "a path that is bound twice",
      serviceOf({ ...getModel, rule: { ...get("/{model}"), additionalBindings: [get("/{model=*}")] } }),
      "GET /{model=*} is bound twice, also as /{model}",
    ],
    [
      "additional bindings in additional bindings",
      serviceOf({
        ...getModel,
        rule: {
          ...get("/{model}"),
          additionalBindings: [{ ...get("/a/{model}"), additionalBindings: [get("/b/{model}")] }],
        },
      }),
      "test.v1.TestService.GetModel: additional bindings of an HTTP rule do not nest",
    ],
    [
      "a rule without a pattern",
      serviceOf({ ...getModel, rule: { body: "*" } }),
      "test.v1.TestService.GetModel: an HTTP rule without a pattern",
    ],
    ["a wrong path", serviceOf({ ...getModel, rule: get("x") }), 'path template "x": expected "/" at character 0'],
    [
      "an rpc without an operation",
      serviceOf({ ...getModel, name: "Nope", rule: get("/x") }),
      'there is no operation "nope"',
    ],
    [
      "a rule on a stream",
      serviceOf({ ...stream, rule: post }),
      "test.v1.TestService.StreamChatCompletion: an HTTP rule is for unary rpcs, and for streams with the option events; another stream shares that of one by stream_of",
    ],
    [
      "a stream of no rpc",
      serviceOf({ ...create, rule: post }, { ...stream, streamOf: { method: "Nope", switch: "stream" } }),
      "test.v1.TestService.StreamChatCompletion: stream_of must pair one server-streaming rpc with one unary rpc of its service",
    ],
    [
      "a choice that is no bool",
      serviceOf({ ...create, rule: post }, { ...stream, streamOf: { method: create.name, switch: "model" } }),
      'test.v1.TestService.StreamChatCompletion: parley.chat.v1.ChatCompletionParams has no optional bool "model"',
    ],
    [
      "a stream beside a body that is the whole request",
      serviceOf(
        { ...create, rule: { ...post, body: "*" } },
        { ...stream, streamOf: { method: create.name, switch: "stream" } },
      ),
      "test.v1.TestService.CreateChatCompletion: with another rpc beside it, the body must be a field of the same type in both",
    ],
  ])("refuses %s", (_, service, message) => {
    expect(() => createRoutes([service], OPERATIONS)).toThrow(new Error(message));
  });

  it("reads every kind of pattern", () => {
    const rule: TestMethod["rule"] = {
      ...get("/get"),
      additionalBindings: [
        { pattern: { case: "put", value: "/put" } },
        { pattern: { case: "post", value: "/post" }, body: "*" },
        { pattern: { case: "delete", value: "/delete" } },
        { pattern: { case: "patch", value: "/patch" } },
        { pattern: { case: "custom", value: { kind: "PURGE", path: "/purge" } } },
        { pattern: { case: "custom", value: { kind: "*", path: "/any" } } },
      ],
    };
    const routes = createRoutes([serviceOf({ ...getModel, rule })], OPERATIONS);
    const requests = [
      "GET /get",
      "PUT /put",
      "POST /post",
      "DELETE /delete",
      "PATCH /patch",
      "PURGE /purge",
      "BREW /any",
    ];
    const kinds = requests.map((request) => routes.match(request.split(" ")[0]!, request.split(" ")[1]!).kind);
    expect(kinds).toEqual(requests.map(() => "found"));
  });

  it("takes a rule with fields of the rpc below others", () => {
    const service = serviceOf({
      name: "ExplainChatCompletion",
      input: ExplainChatCompletionRequestSchema,
      output: CreateChatCompletionResponseSchema,
      rule: get("/explain/{params.model=**}"),
    });
    expect(createRoutes([service], OPERATIONS).match("GET", "/explain/a/b")).toMatchObject({
      kind: "found",
      variables: ["a/b"],
    });
  });
});
