import { create } from "@bufbuild/protobuf";
import { validate } from "../admission/validate.ts";
import {
  ExplainChatCompletionRequestSchema,
  ExplainChatCompletionResponseSchema,
} from "../gen/parley/chat/v1/chat_service_pb.ts";
import {
  GetModelRequestSchema,
  GetModelResponseSchema,
  ListModelsResponseSchema,
} from "../gen/parley/models/v1/models_service_pb.ts";
import type { Catalogue } from "../routing/catalogue.ts";
import { createLiveCalls, type LiveCalls } from "./call-scope.ts";
import { createChat } from "./create-chat.ts";
import type { Operations } from "./operation.ts";
import { prepare } from "./prepare.ts";
import { type OpenScope, settled, streamSettled } from "./settled.ts";
import { streamChat } from "./stream-chat.ts";
import type { GatewayTimeouts } from "./timeouts.ts";

/** The use case behind every door. */
export interface Gateway {
  readonly operations: Operations;
  /** The calls that are running. */
  readonly calls: LiveCalls;
}

/** Makes the gateway over these models. */
export function createGateway(catalogue: Catalogue, timeouts: GatewayTimeouts): Gateway {
  const calls = createLiveCalls();
  const open: OpenScope = (call) => calls.open(call, timeouts.totalMs);
  const operations: Operations = {
    createChatCompletion: (request, call) =>
      settled(call, open, (scope) => createChat(request, call, scope, catalogue)),

    streamChatCompletion: (request, call) =>
      streamSettled(call, open, (scope) => streamChat(request, call, scope, catalogue, timeouts)),

    explainChatCompletion: (request, call) =>
      settled(call, open, () => {
        const streaming = request.params?.stream ?? false;
        const { target, plan } = prepare(ExplainChatCompletionRequestSchema, request, streaming, catalogue, call.log);
        const upstreamRequest = plan.describe();
        return create(ExplainChatCompletionResponseSchema, {
          provider: target.backend.id,
          model: target.model,
          adjustments: [...plan.adjustments],
          promptTokens: plan.promptTokens ?? 0,
          ...(upstreamRequest === undefined ? {} : { upstreamRequest }),
        });
      }),

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
