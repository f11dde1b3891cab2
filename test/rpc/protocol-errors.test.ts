/** What Connect refuses by itself, before an operation is called, and deadlines as they are written on the wire: it looks like every other error, on the wire and in the log. */
import { Code } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CATALOGUE } from "../../src/errors/catalogue.ts";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { until } from "../support/collect.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { CREATE, envelope, openRaw, type RawCall, type RawClient, requestBytes, STREAM } from "../support/raw-call.ts";
import { readRawError } from "../support/raw-error.ts";

const PARAMS = {
  model: "sandbox/echo",
  messages: [{ role: Role.USER, content: [{ kind: { case: "text" as const, value: "a" } }] }],
};
const MESSAGE = requestBytes(PARAMS);
const WHOLE = envelope(MESSAGE);
const JSON_MESSAGE = '{"params":{"model":"sandbox/echo","messages":[{"role":"ROLE_USER","content":[{"text":"a"}]}]}}';
const bytes = (text: string): Buffer => Buffer.from(text);
const GRPC = { "content-type": "application/grpc", te: "trailers" };
const WEB = { "content-type": "application/grpc-web+proto" };
const CONNECT = { "content-type": "application/json" };
const CONNECT_STREAM = { "content-type": "application/connect+json" };
const grpc = (body: Uint8Array, headers: object = {}): RawCall => ({ headers: { ...GRPC, ...headers }, body });
const timeout = (value: string): RawCall => grpc(WHOLE, { "grpc-timeout": value });
const stall = (value: string): RawCall =>
  grpc(envelope(requestBytes({ ...PARAMS, model: "sandbox/fault-stall" })), { "grpc-timeout": value });
const connectTimeout = (value: string): RawCall => ({
  headers: { ...CONNECT, "connect-timeout-ms": value },
  body: JSON_MESSAGE,
});

type Row = readonly [name: string, path: string, call: RawCall, reason: Reason];
const { INVALID_REQUEST, REQUEST_TOO_LARGE, NOT_IMPLEMENTED, DEADLINE_EXCEEDED, NOT_FOUND } = Reason;

const ROWS: readonly Row[] = [
  ["gRPC: bytes that are no message", CREATE, grpc(envelope(Buffer.from([255, 255, 255]))), INVALID_REQUEST],
  ["gRPC: a message that is cut", CREATE, grpc(WHOLE.subarray(0, 10)), INVALID_REQUEST],
  ["gRPC: a prefix of 4 GiB", CREATE, grpc(Buffer.from([0, 255, 255, 255, 255, 1])), REQUEST_TOO_LARGE],
  ["gRPC: a message above the limit", STREAM, grpc(envelope(Buffer.alloc(100_001))), REQUEST_TOO_LARGE],
  ["gRPC: no message", CREATE, grpc(Buffer.alloc(0)), NOT_IMPLEMENTED],
  ["gRPC: two messages", CREATE, grpc(Buffer.concat([WHOLE, WHOLE])), NOT_IMPLEMENTED],
  ["gRPC: two messages to a stream", STREAM, grpc(Buffer.concat([WHOLE, WHOLE])), NOT_IMPLEMENTED],
  ["gRPC: an unknown packing", CREATE, grpc(envelope(MESSAGE, 1), { "grpc-encoding": "snappy" }), NOT_IMPLEMENTED],
  ["gRPC: packed, but not said how", CREATE, grpc(envelope(MESSAGE, 1)), INVALID_REQUEST],
  [
    "gRPC: said to be packed, but not",
    CREATE,
    grpc(envelope(MESSAGE, 1), { "grpc-encoding": "gzip" }),
    INVALID_REQUEST,
  ],
  ["gRPC: no JSON", CREATE, grpc(envelope(bytes("{")), { "content-type": "application/grpc+json" }), INVALID_REQUEST],
  ["gRPC: a timeout of no time", CREATE, timeout("0S"), DEADLINE_EXCEEDED],
  ["gRPC: a timeout in nanoseconds", CREATE, stall("90000000n"), DEADLINE_EXCEEDED],
  ["gRPC: a timeout in microseconds", STREAM, stall("90000u"), DEADLINE_EXCEEDED],
  ["gRPC: a timeout in milliseconds", CREATE, stall("90m"), DEADLINE_EXCEEDED],
  ["gRPC: a timeout in seconds", STREAM, stall("1S"), DEADLINE_EXCEEDED],
  ["gRPC: a timeout without a unit", CREATE, timeout("1"), INVALID_REQUEST],
  ["gRPC: an empty timeout", CREATE, timeout(""), INVALID_REQUEST],
  ["gRPC: a negative timeout", STREAM, timeout("-1S"), INVALID_REQUEST],
  ["gRPC: a timeout of nine digits", CREATE, timeout("123456789n"), INVALID_REQUEST],
  ["gRPC: a timeout above a day", CREATE, timeout("25H"), INVALID_REQUEST],
  ["gRPC: a timeout of 11,000 years", CREATE, timeout("99999999H"), INVALID_REQUEST],
  [
    "gRPC: a service without health",
    "/grpc.health.v1.Health/Check",
    grpc(envelope(Buffer.from([10, 1, 65]))),
    NOT_FOUND,
  ],
  ["gRPC-Web: bytes that are no message", CREATE, { headers: WEB, body: envelope(bytes("\xff\xff")) }, INVALID_REQUEST],
  [
    "gRPC-Web: a message above the limit",
    STREAM,
    { headers: WEB, body: envelope(Buffer.alloc(100_001)) },
    REQUEST_TOO_LARGE,
  ],
  ["gRPC-Web: a wrong timeout", STREAM, { headers: { ...WEB, "grpc-timeout": "1d" }, body: WHOLE }, INVALID_REQUEST],
  ["Connect: a wrong type", CREATE, { headers: CONNECT, body: '{"params":{"model":5}}' }, INVALID_REQUEST],
  [
    "Connect: bytes that are no message",
    CREATE,
    { headers: { "content-type": "application/proto" }, body: bytes("\xff\xff") },
    INVALID_REQUEST,
  ],
  ["Connect: a message above the limit", CREATE, { headers: CONNECT, body: " ".repeat(100_001) }, REQUEST_TOO_LARGE],
  [
    "Connect: an unknown packing",
    CREATE,
    { headers: { ...CONNECT, "content-encoding": "zstd" }, body: "{}" },
    NOT_IMPLEMENTED,
  ],
  ["Connect: a timeout of no time", CREATE, connectTimeout("0"), DEADLINE_EXCEEDED],
  ["Connect: a timeout that is no number", CREATE, connectTimeout("1.5"), INVALID_REQUEST],
  ["Connect: a timeout above a day", CREATE, connectTimeout("86400001"), INVALID_REQUEST],
  ["Connect: a timeout of 300 years", CREATE, connectTimeout("9999999999"), INVALID_REQUEST],
  ["Connect, stream: no JSON", STREAM, { headers: CONNECT_STREAM, body: envelope(bytes("{")) }, INVALID_REQUEST],
  [
    "Connect, stream: a message above the limit",
    STREAM,
    { headers: CONNECT_STREAM, body: envelope(Buffer.alloc(100_001)) },
    REQUEST_TOO_LARGE,
  ],
  [
    "Connect, stream: a wrong timeout",
    STREAM,
    { headers: { ...CONNECT_STREAM, "connect-timeout-ms": "-1" }, body: envelope(bytes("{}")) },
    INVALID_REQUEST,
  ],
];

describe("errors of the protocol", () => {
  const warnings: Error[] = [];
  const warned = (warning: Error): number => warnings.push(warning);
  let gateway: TestGateway;
  let client: RawClient;
  beforeAll(async () => {
    process.on("warning", warned);
    gateway = await startTestGateway({ limits: { maxBodyBytes: 100_000 } });
    client = openRaw(gateway.url);
  });
  afterAll(async () => {
    client.close();
    await gateway.stop();
    process.off("warning", warned);
    expect([gateway.openCalls, gateway.openConnections, warnings]).toEqual([0, 0, []]);
  });

  it.each(ROWS)("%s", async (name, path, call, reason) => {
    const requestId = name.replaceAll(/\W+/g, "-");
    const answer = await client.call(path, { ...call, headers: { ...call.headers, "x-request-id": requestId } });
    const error = readRawError(answer);
    const { connectCode, type, code } = CATALOGUE[reason];
    expect(answer.headers["x-request-id"]).toBe(requestId);
    expect(Code[error.code]).toBe(Code[connectCode]);
    expect(error.rawMessage).not.toBe("");
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([
      { reason: Reason[reason], domain: "parley", metadata: code === null ? { type } : { type, code } },
    ]);
    const ownLine = () => gateway.lines.find((line) => line["requestId"] === requestId);
    await until(() => ownLine() !== undefined, "a line of the call");
    expect(ownLine()).toMatchObject({ reason: Reason[reason], status: codeToString(connectCode) });
    expect(ownLine()).not.toHaveProperty("err");
  });

  it.each(["24H", "1440M", "86400S", "10000m", "60000000u"])("takes the timeout %s", async (value) => {
    const { trailers } = await client.call(CREATE, timeout(value));
    expect(trailers["grpc-status"]).toBe("0");
  });

  it.each([
    ["GET", CREATE, "GET", {}, "405", "method_not_allowed", "POST"],
    [
      "PUT of what has no side effects",
      "/parley.models.v1.ModelsService/ListModels",
      "PUT",
      CONNECT,
      "405",
      "method_not_allowed",
      "POST, GET",
    ],
    [
      "a form",
      CREATE,
      "POST",
      { "content-type": "application/x-www-form-urlencoded" },
      "415",
      "unsupported_media_type",
      undefined,
    ],
    ["no content type", CREATE, "POST", {}, "415", "unsupported_media_type", undefined],
    [
      "gRPC-Web in base64",
      STREAM,
      "POST",
      { "content-type": "application/grpc-web-text" },
      "415",
      "unsupported_media_type",
      undefined,
    ],
    ["a unary type for a stream", STREAM, "POST", CONNECT, "415", "unsupported_media_type", undefined],
  ] as const)("refuses %s with REST's body", async (_name, path, method, headers, status, code, allow) => {
    const answer = await client.call(path, { method, headers });
    expect([String(answer.headers[":status"]), answer.headers.allow]).toEqual([status, allow]);
    expect(JSON.parse(answer.body.toString("utf8"))).toEqual({
      error: { type: "invalid_request_error", code, param: null, message: expect.stringMatching(/\w/) },
    });
  });

  it("refuses a stream in both directions on HTTP/1.1", async () => {
    const url = `${gateway.url}/grpc.reflection.v1.ServerReflection/ServerReflectionInfo`;
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/connect+json" },
      body: "",
    });
    expect(response.status).toBe(505);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining("HTTP/2") } });
  });
});
