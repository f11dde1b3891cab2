import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
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
import { addChatService } from "./chat.ts";
import type { HealthStatus } from "./health.ts";
import { addKeysService } from "./keys.ts";
import { addModelsService } from "./models.ts";
import { createNodeHandler } from "./node-handler.ts";
import { addReflection } from "./reflection.ts";
import { addRequestsService } from "./requests.ts";
import { addRunsService } from "./runs.ts";

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
}

/** Makes the handler of all rpcs. */
export function createRpcHandler(options: RpcOptions): RpcHandler {
  const addServices = (router: ConnectRouter): void => {
    addChatService(router, options.operations);
    addModelsService(router, options.operations);
    addRunsService(router, options.operations);
    addKeysService(router, options.operations);
    addRequestsService(router, options.operations);
    options.health.addTo(router);
    addReflection(router, [...SERVICES, Health]);
  };
  const { paths, handle } = createNodeHandler(addServices, {
    doorkeeper: options.doorkeeper,
    services: SERVICES,
    readMaxBytes: options.maxMessageBytes,
    maxTimeoutMs: options.maxTimeoutMs,
    // Connect would drop unknown keys without a word; a misspelt parameter is an error on every door.
    jsonOptions: { ignoreUnknownFields: false },
  });
  return { serves: (path) => paths.has(path), handle };
}
