import type { Operations } from "../gateway/operation.ts";
import { KeysService } from "../gen/parley/keys/v1/keys_service_pb.ts";
import { type ServedMethod, unary } from "./served-method.ts";

/** The rpcs of parley.keys.v1.KeysService. */
export function serveKeys(operations: Operations): readonly ServedMethod[] {
  const { method } = KeysService;
  return [
    unary(method.createKey, operations.createKey),
    unary(method.getKey, operations.getKey),
    unary(method.listKeys, operations.listKeys),
    unary(method.updateKey, operations.updateKey),
    unary(method.revokeKey, operations.revokeKey),
  ];
}
