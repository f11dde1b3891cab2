import type { ConnectRouter } from "@connectrpc/connect";
import type { Operations } from "../gateway/operation.ts";
import { ModelsService } from "../gen/parley/models/v1/models_service_pb.ts";
import { unary } from "./serve-operation.ts";

/** Serves parley.models.v1.ModelsService. */
export function addModelsService(router: ConnectRouter, operations: Operations): void {
  router.service(ModelsService, {
    listModels: unary(operations.listModels),
    getModel: unary(operations.getModel),
  });
}
