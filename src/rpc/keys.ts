import type { ConnectRouter } from "@connectrpc/connect";
import type { Operations } from "../gateway/operation.ts";
import { KeysService } from "../gen/parley/keys/v1/keys_service_pb.ts";
import { unary } from "./serve-operation.ts";

/** Serves parley.keys.v1.KeysService. */
export function addKeysService(router: ConnectRouter, operations: Operations): void {
  router.service(KeysService, {
    createKey: unary(operations.createKey),
    getKey: unary(operations.getKey),
    listKeys: unary(operations.listKeys),
    updateKey: unary(operations.updateKey),
    revokeKey: unary(operations.revokeKey),
  });
}
