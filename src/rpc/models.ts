import type { Operations } from "../gateway/operation.ts";
import { ModelsService } from "../gen/parley/models/v1/models_service_pb.ts";
import { type ServedMethod, unary } from "./served-method.ts";

/** The rpcs of parley.models.v1.ModelsService. */
export function serveModels(operations: Operations): readonly ServedMethod[] {
  const { method } = ModelsService;
  return [unary(method.listModels, operations.listModels), unary(method.getModel, operations.getModel)];
}
