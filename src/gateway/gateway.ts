import { create } from "@bufbuild/protobuf";
import { validate } from "../admission/validate.ts";
import {
  GetModelRequestSchema,
  GetModelResponseSchema,
  ListModelsResponseSchema,
} from "../gen/parley/models/v1/models_service_pb.ts";
import type { Catalogue } from "../routing/catalogue.ts";
import { createLiveCalls, type LiveCalls } from "./call-scope.ts";
import { createChat } from "./create-chat.ts";
import { explainChat } from "./explain-chat.ts";
import type { Operations } from "./operation.ts";
import type { GatewayOptions } from "./options.ts";
import { type OpenScope, settled, streamSettled } from "./settled.ts";
import { streamChat } from "./stream-chat.ts";

/** The use case behind every door. */
export interface Gateway {
  readonly operations: Operations;
  /** The calls that are running. */
  readonly calls: LiveCalls;
}

/** Makes the gateway over these models. */
export function createGateway(catalogue: Catalogue, options: GatewayOptions): Gateway {
  const calls = createLiveCalls();
  const open: OpenScope = (call) => calls.open(call, options.totalMs);
  const operations: Operations = {
    createChatCompletion: (request, call) =>
      settled(call, open, (scope) => createChat(request, { call, scope, catalogue, options })),

    streamChatCompletion: (request, call) =>
      streamSettled(call, open, (scope) => streamChat(request, { call, scope, catalogue, options })),

    explainChatCompletion: (request, call) => settled(call, open, () => explainChat(request, { call, catalogue })),

    listModels: (_request, call) =>
      settled(call, open, () => create(ListModelsResponseSchema, { models: [...catalogue.list()] })),

    getModel: (request, call) =>
      settled(call, open, () => {
        validate(GetModelRequestSchema, request);
        return create(GetModelResponseSchema, { model: catalogue.get(request.model) });
      }),
  };
  return { operations, calls };
}
