/**
 * The gateway: the use case that every door calls. It admits, routes, calls and settles; the doors only read requests and write
 * answers.
 *
 * An operation is the implementation of one rpc, free of any protocol. All doors serve the same operations.
 */
import type { DescMethodServerStreaming, DescMethodUnary, MessageShape } from "@bufbuild/protobuf";
import type { ChatService } from "../gen/parley/chat/v1/chat_service_pb.ts";
import type { ModelsService } from "../gen/parley/models/v1/models_service_pb.ts";
import type { CallLog } from "../telemetry/call-log.ts";

/** What an operation knows of the call besides the request. */
export interface CallContext {
  /** What is logged of the call; it also has the call's id and door. */
  readonly log: CallLog;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** Milliseconds that the client gives the call, from its arrival; undefined: the configured default. */
  readonly timeoutMs: number | undefined;
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

/** The operations of the whole API. */
export interface Operations {
  readonly createChatCompletion: UnaryOperation<typeof ChatService.method.createChatCompletion>;
  readonly streamChatCompletion: StreamOperation<typeof ChatService.method.streamChatCompletion>;
  readonly explainChatCompletion: UnaryOperation<typeof ChatService.method.explainChatCompletion>;
  readonly listModels: UnaryOperation<typeof ModelsService.method.listModels>;
  readonly getModel: UnaryOperation<typeof ModelsService.method.getModel>;
}
