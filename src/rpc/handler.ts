import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import type { Doorkeeper } from "../admission/doorkeeper.ts";
import type { Operations } from "../gateway/operation.ts";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import { ChatService } from "../gen/parley/chat/v1/chat_service_pb.ts";
import { KeysService } from "../gen/parley/keys/v1/keys_service_pb.ts";
import { ModelsService } from "../gen/parley/models/v1/models_service_pb.ts";
import { RequestsService } from "../gen/parley/requests/v1/requests_service_pb.ts";
import { RunsService } from "../gen/parley/runs/v1/runs_service_pb.ts";
import type { HttpRequest, HttpResponse } from "../lib/http-exchange.ts";
import type { CallLog } from "../telemetry/call-log.ts";
import { serveChat } from "./chat.ts";
import { createGrpcHandler, type GrpcHandler } from "./grpc/handler.ts";
import type { HealthStatus } from "./health.ts";
import { serveKeys } from "./keys.ts";
import { serveModels } from "./models.ts";
import { createNodeHandler } from "./node-handler.ts";
import { addReflection } from "./reflection.ts";
import { serveRequestLog } from "./requests.ts";
import { serveRuns } from "./runs.ts";
import { addMethod } from "./serve-operation.ts";

/** The services of the API. */
export const SERVICES: readonly DescService[] = [ChatService, ModelsService, RunsService, KeysService, RequestsService];

/** What the RPC handler needs. */
export interface RpcOptions {
  readonly operations: Operations;
  readonly doorkeeper: Doorkeeper;
  readonly health: HealthStatus;
  /** Largest message of a request, in bytes, after decompression. */
  readonly maxMessageBytes: number;
  /** Longest deadline that a client may give, in milliseconds. */
  readonly maxTimeoutMs: number;
}

/** Serves gRPC, gRPC-Web and Connect. */
export interface RpcHandler {
  /** Whether the path, without its query, is that of an rpc. */
  serves(path: string): boolean;
  /** Answers a request whose path it serves. */
  handle(request: HttpRequest, response: HttpResponse, path: string, log: CallLog): void;
  /** Answers gRPC on HTTP/2, without the objects of requests and responses. What it does not take, `handle` does. */
  readonly grpc: GrpcHandler;
}

/** Makes the handler of all rpcs. */
export function createRpcHandler(options: RpcOptions): RpcHandler {
  const { operations, doorkeeper, health } = options;
  const methods = [serveChat, serveModels, serveRuns, serveKeys, serveRequestLog].flatMap((serve) => serve(operations));
  const addServices = (router: ConnectRouter): void => {
    for (const served of methods) addMethod(router, served);
    health.addTo(router);
    addReflection(router, [...SERVICES, Health]);
  };
  const limits = {
    readMaxBytes: options.maxMessageBytes,
    maxTimeoutMs: options.maxTimeoutMs,
    acceptCompression: [compressionGzip, compressionBrotli],
    // Connect would drop unknown keys without a word; a misspelt parameter is an error on every door.
    jsonOptions: { ignoreUnknownFields: false },
  };
  const { paths, handle } = createNodeHandler(addServices, { doorkeeper, services: SERVICES, ...limits });
  return { serves: (path) => paths.has(path), handle, grpc: createGrpcHandler(methods, { doorkeeper, ...limits }) };
}
