import type { IncomingHttpHeaders } from "node:http2";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Operations } from "../../../src/gateway/operation.ts";
import { RetryInfoSchema } from "../../../src/gen/google/rpc/error_details_pb.ts";
import { StreamChatCompletionResponseSchema } from "../../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { serveChat } from "../../../src/rpc/chat.ts";
import { createGrpcHandler, type GrpcHandler } from "../../../src/rpc/grpc/handler.ts";
import { createRpcHandler, SERVICES } from "../../../src/rpc/handler.ts";
import { createHealthStatus } from "../../../src/rpc/health.ts";
import { startServer } from "../../../src/server/server.ts";
import { CallLog } from "../../../src/telemetry/call-log.ts";
import { OPEN_DOOR, operationsOf } from "../../rest/support/rest-server.ts";
import { failureOf, until } from "../../support/collect.ts";
import { CREATE, envelope, openRaw, requestBytes, STREAM } from "../../support/raw-call.ts";

const createHandler = (operations: Partial<Operations>): GrpcHandler =>
  createGrpcHandler(serveChat(operationsOf(operations)), {
    doorkeeper: OPEN_DOOR,
    acceptCompression: [],
    jsonOptions: { ignoreUnknownFields: false },
    maxTimeoutMs: 60_000,
    readMaxBytes: 65_536,
  });

const CALL = {
  headers: { "content-type": "application/grpc", te: "trailers" },
  body: envelope(requestBytes({ model: "a" })),
};

/** Serves operations, and makes one call. */
async function serveOnce(operations: Partial<Operations>) {
  const grpc = createHandler(operations);
  const log = new CallLog("req_test", "grpc");
  const server = await startServer({
    host: "127.0.0.1",
    port: 0,
    handler: (_request, response) => void response.end(),
    streamHandler(stream, headers) {
      const method = grpc.find(headers);
      if (method !== undefined) grpc.handle(stream, headers, method, { log, head: [], closed: () => undefined });
      return method === undefined ? undefined : log.requestId;
    },
  });
  const client = openRaw(server.address.url);
  onTestFinished(async () => {
    client.close();
    await server.close(0);
  });
  return { client, log };
}

describe("createGrpcHandler()", () => {
  const POST = { ":method": "POST", ":path": CREATE, ":authority": "a", "content-type": "application/grpc" };

  it.each<[what: string, headers: IncomingHttpHeaders, isTaken: boolean]>([
    ["gRPC", POST, true],
    ["gRPC with messages in Protobuf", { ...POST, "content-type": "application/grpc+proto" }, true],
    ["gRPC with messages in JSON", { ...POST, "content-type": "application/grpc+json" }, true],
    ["a stream", { ...POST, ":path": STREAM }, true],
    ["gRPC-Web", { ...POST, "content-type": "application/grpc-web" }, false],
    ["Connect", { ...POST, "content-type": "application/proto" }, false],
    ["a content type with a parameter", { ...POST, "content-type": "application/grpc+json; charset=utf-8" }, false],
    ["no content type", { ":method": "POST", ":path": CREATE, ":authority": "a" }, false],
    ["a path that it does not serve", { ...POST, ":path": "/grpc.health.v1.Health/Check" }, false],
    ["a path with a query", { ...POST, ":path": `${CREATE}?a=b` }, false],
    ["another method", { ...POST, ":method": "GET" }, false],
    ["an expectation", { ...POST, expect: "100-continue" }, false],
    ["a request without an authority", { ...POST, ":authority": undefined }, false],
  ])("is asked for %s", (_what, headers, isTaken) => {
    expect(createHandler({}).find(headers) !== undefined).toBe(isTaken);
  });

  it("has all rpcs of the API, as Connect has", () => {
    const options = { health: createHealthStatus([]), maxMessageBytes: 1_000, maxTimeoutMs: 1_000 };
    const { grpc, serves } = createRpcHandler({ operations: operationsOf({}), doorkeeper: OPEN_DOOR, ...options });
    const paths = SERVICES.flatMap(({ typeName, methods }) => methods.map(({ name }) => `/${typeName}/${name}`));
    expect(paths.filter((path) => grpc.find({ ...POST, ":path": path }) === undefined || !serves(path))).toEqual([]);
  });

  it("resets a call whose error cannot be written, and tells the log", async () => {
    const { client, log } = await serveOnce({
      async createChatCompletion() {
        const value = { retryDelay: { nanos: 0.5 } };
        throw new ConnectError("told", Code.Internal, undefined, [{ desc: RetryInfoSchema, value }]);
      },
    });
    await failureOf(client.call(CREATE, CALL));
    await until(() => log.error !== undefined, "an error");
    expect(log.error?.reasonName).toBe("INTERNAL");
  });

  it("tells of a message that cannot be written, after those that can", async () => {
    const { client, log } = await serveOnce({
      async *streamChatCompletion() {
        yield [create(StreamChatCompletionResponseSchema)];
        yield [{ ...create(StreamChatCompletionResponseSchema), chunk: { id: 5 } } as never];
      },
    });
    const { body, trailers } = await client.call(STREAM, CALL);
    expect([body, trailers["grpc-status"]]).toEqual([Buffer.alloc(5), String(Code.Internal)]);
    expect(log.error?.reasonName).toBe("INTERNAL");
  });

  it("ends an operation whose client goes away while the answer waits for it", async () => {
    let isOver = false;
    const chunk = create(StreamChatCompletionResponseSchema, { chunk: { id: "a".repeat(1_000_000) } });
    const { client } = await serveOnce({
      async *streamChatCompletion(_request, { signal }) {
        try {
          for (;;) yield [chunk];
        } finally {
          isOver = signal.aborted;
        }
      },
    });
    void client.call(STREAM, { ...CALL, readsAfter: new Promise(() => undefined) }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isOver).toBe(false);
    client.close();
    await until(() => isOver, "the end of the operation");
  });
});
