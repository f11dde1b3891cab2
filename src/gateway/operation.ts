/**
 * The gateway: the use case that every door calls. It admits, routes, calls and settles; the doors only read requests and write
 * answers.
 *
 * An operation is the implementation of one rpc, free of any protocol. All doors serve the same operations.
 */
import type { DescMethodServerStreaming, DescMethodUnary, MessageShape } from "@bufbuild/protobuf";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import type { Caller } from "../admission/caller.ts";
import type { Standing } from "../admission/limits/limiter.ts";
import type { ChatService } from "../gen/parley/chat/v1/chat_service_pb.ts";
import type { KeysService } from "../gen/parley/keys/v1/keys_service_pb.ts";
import type { ModelsService } from "../gen/parley/models/v1/models_service_pb.ts";
import type { RequestsService } from "../gen/parley/requests/v1/requests_service_pb.ts";
import type { RunsService } from "../gen/parley/runs/v1/runs_service_pb.ts";
import type { CallLog } from "../telemetry/call-log.ts";

/** What an operation knows of the call besides the request. */
export interface CallContext {
  /** Who calls; what the scopes of that allow was checked. */
  readonly caller: Caller;
  /** What is logged of the call; it also has the call's id and door. */
  readonly log: CallLog;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** Milliseconds that the client gives the call, from its arrival; undefined: the configured default. */
  readonly timeoutMs: number | undefined;
  /** Tells the door how it stands with the caller's limits, before the answer begins; undefined where nobody wants to know. */
  readonly tellStanding?: (standing: Standing) => void;
}

/** Answers a unary rpc, or throws a GatewayError. */
export type UnaryOperation<M> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, call: CallContext) => Promise<MessageShape<O>>
    : never;

/**
 * Answers a server-streaming rpc in batches: each holds the messages that became ready at once, in order, and is never empty.
 * The iteration ends, or throws a GatewayError; leaving it early stops the work.
 */
export type StreamOperation<M> =
  M extends DescMethodServerStreaming<infer I, infer O>
    ? (request: MessageShape<I>, call: CallContext) => AsyncIterable<readonly MessageShape<O>[]>
    : never;

/** The operations of one service, by the names of its rpcs. */
export type OperationsOf<S extends GenService<GenServiceMethods>> = {
  readonly [K in keyof S["method"]]: S["method"][K] extends DescMethodUnary
    ? UnaryOperation<S["method"][K]>
    : StreamOperation<S["method"][K]>;
};

/** The operations of the gateway itself. */
export type GatewayOperations = OperationsOf<typeof ChatService> & OperationsOf<typeof ModelsService>;

/** The operations of the whole API. */
export type Operations = GatewayOperations &
  OperationsOf<typeof RunsService> &
  OperationsOf<typeof KeysService> &
  OperationsOf<typeof RequestsService>;
