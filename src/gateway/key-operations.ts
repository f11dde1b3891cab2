import { create } from "@bufbuild/protobuf";
import {
  CreateKeyResponseSchema,
  GetKeyResponseSchema,
  type KeysService,
  RevokeKeyResponseSchema,
  UpdateKeyResponseSchema,
} from "../gen/parley/keys/v1/keys_service_pb.ts";
import type { OpenScope } from "./call-scope.ts";
import { listKeys } from "./list-keys.ts";
import { createKeyManager, type KeyManagerOptions } from "./manage-keys.ts";
import type { OperationsOf } from "./operation.ts";
import { settled } from "./settled.ts";

/** What the operations of keys work with. */
export interface KeyOperationsOptions extends KeyManagerOptions {
  readonly open: OpenScope;
}

/** Makes the operations of keys. Who may call them is the doors' to check. */
export function createKeyOperations({ open, ...options }: KeyOperationsOptions): OperationsOf<typeof KeysService> {
  const keys = createKeyManager(options);
  return {
    createKey: (request, call) =>
      settled(call, open, async () => create(CreateKeyResponseSchema, await keys.create(request))),

    getKey: (request, call) =>
      settled(call, open, async () => create(GetKeyResponseSchema, { key: await keys.get(request) })),

    listKeys: (request, call) => settled(call, open, () => listKeys(request, options)),

    updateKey: (request, call) =>
      settled(call, open, async () => create(UpdateKeyResponseSchema, { key: await keys.update(request) })),

    revokeKey: (request, call) =>
      settled(call, open, async () => create(RevokeKeyResponseSchema, { key: await keys.revoke(request) })),
  };
}
