import { Agent } from "node:http";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { ChatService } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { KeysService } from "../../src/gen/parley/keys/v1/keys_service_pb.ts";
import { ModelsService } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import { RequestsService } from "../../src/gen/parley/requests/v1/requests_service_pb.ts";
import { RunsService } from "../../src/gen/parley/runs/v1/runs_service_pb.ts";

/** Names of the doors that speak the contract itself. */
export const TYPED_DOORS = ["grpc", "grpc-web", "connect"] as const;

/** Clients of one such door, which hear all that an answer says: reports, too. */
export interface TypedClients {
  readonly chat: Client<typeof ChatService>;
  readonly models: Client<typeof ModelsService>;
  readonly runs: Client<typeof RunsService>;
  readonly keys: Client<typeof KeysService>;
  readonly requests: Client<typeof RequestsService>;
  close(): void;
}

/** Opens clients of a door of the gateway at that URL. */
export function openTyped(door: (typeof TYPED_DOORS)[number], url: string): TypedClients {
  const { transport, close } = door === "grpc" ? overHttp2(url) : overHttp1(door, url);
  return {
    chat: createClient(ChatService, transport),
    models: createClient(ModelsService, transport),
    runs: createClient(RunsService, transport),
    keys: createClient(KeysService, transport),
    requests: createClient(RequestsService, transport),
    close,
  };
}

function overHttp2(baseUrl: string): { transport: Transport; close(): void } {
  const sessionManager = new Http2SessionManager(baseUrl);
  return { transport: createGrpcTransport({ baseUrl, sessionManager }), close: () => void sessionManager.abort() };
}

function overHttp1(door: "grpc-web" | "connect", baseUrl: string): { transport: Transport; close(): void } {
  const agent = new Agent({ keepAlive: true });
  const options = { baseUrl, httpVersion: "1.1", nodeOptions: { agent } } as const;
  const transport = door === "connect" ? createConnectTransport(options) : createGrpcWebTransport(options);
  return { transport, close: () => agent.destroy() };
}
