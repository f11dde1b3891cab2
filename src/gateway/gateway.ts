import { create } from "@bufbuild/protobuf";
import type { Caller } from "../admission/caller.ts";
import type { Limiter } from "../admission/limits/limiter.ts";
import { mayUse } from "../admission/model-patterns.ts";
import { validate } from "../admission/validate.ts";
import {
  GetModelRequestSchema,
  GetModelResponseSchema,
  ListModelsResponseSchema,
  type Model,
} from "../gen/parley/models/v1/models_service_pb.ts";
import { type CreateRunRequest, CreateRunRequestSchema } from "../gen/parley/runs/v1/runs_service_pb.ts";
import type { Catalogue } from "../routing/catalogue.ts";
import { createLiveCalls, type LiveCalls, type OpenScope } from "./call-scope.ts";
import { createChat } from "./create-chat.ts";
import { explainChat } from "./explain-chat.ts";
import type { GatewayOperations } from "./operation.ts";
import type { GatewayOptions } from "./options.ts";
import { checkPlans, notAllowed, prepare } from "./prepare.ts";
import { settled } from "./settled.ts";
import { streamChat } from "./stream-chat.ts";

/** The use case behind every door. */
export interface Gateway {
  readonly operations: GatewayOperations;
  /** Rejects where a chat completion is bound to fail, as far as that can be told without calling anybody. */
  check(request: CreateRunRequest, caller: Caller): Promise<void>;
  /** The calls that are running. */
  readonly calls: LiveCalls;
}

/** Makes the gateway over these models. */
export function createGateway(catalogue: Catalogue, options: GatewayOptions, limiter: Limiter): Gateway {
  const calls = createLiveCalls();
  const open: OpenScope = (call) => calls.open(call, options.totalMs);
  const operations: GatewayOperations = {
    createChatCompletion: (request, call) => createChat(request, { call, open, catalogue, options, limiter }),

    streamChatCompletion: (request, call) => streamChat(request, { call, open, catalogue, options, limiter }),

    explainChatCompletion: (request, call) => settled(call, open, () => explainChat(request, { call, catalogue })),

    listModels: (_request, call) =>
      settled(call, open, () => {
        const models = catalogue.list().filter((model) => isUsable(call.caller, model));
        return create(ListModelsResponseSchema, { models });
      }),

    getModel: (request, call) =>
      settled(call, open, async () => {
        await validate(GetModelRequestSchema, request);
        const model = catalogue.get(request.model);
        if (!isUsable(call.caller, model)) throw notAllowed(model.id, "model");
        return create(GetModelResponseSchema, { model });
      }),
  };
  return {
    operations,
    calls,
    async check(request, caller) {
      const prepared = await prepare(CreateRunRequestSchema, request, undefined, { catalogue, caller });
      checkPlans(prepared);
    },
  };
}

/** Whether a caller may use a model of the list: by its name, or some of what it stands for. */
const isUsable = ({ models }: Caller, { id, targets }: Model): boolean =>
  models.length === 0 || mayUse(models, id) || targets.some((target) => mayUse(models, target));
