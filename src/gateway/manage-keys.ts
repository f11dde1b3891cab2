import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { readKeyLimits, readKeyModels, readKeyScopes, writeKeyLimits } from "../admission/key-row.ts";
import { createSecret, hashSecret, hintOf } from "../admission/secret.ts";
import { validate } from "../admission/validate.ts";
import { DEFAULT_SCOPES } from "../config/complete-auth.ts";
import type { AuthSettings, ConfigKeySettings } from "../config/settings.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import {
  type CreateKeyRequest,
  CreateKeyRequestSchema,
  type GetKeyRequest,
  GetKeyRequestSchema,
  type Key,
  Key_Source,
  KeySchema,
  type RevokeKeyRequest,
  RevokeKeyRequestSchema,
  type UpdateKeyRequest,
  UpdateKeyRequestSchema,
} from "../gen/parley/keys/v1/keys_service_pb.ts";
import { randomText } from "../lib/ids.ts";
import { createKeyRows, type KeyRow, type KeyRows } from "../store/keys.ts";
import type { LateStore } from "../store/store.ts";

/** The last millisecond of the year 9999, after which a Timestamp has no text. */
const LAST_MS = 253_402_300_799_999;
const CONTROL = /\p{Cc}/u;

/** What keys are managed with. */
export interface KeyManagerOptions {
  readonly store: LateStore;
  /** The keys of the configuration are in here. */
  readonly auth: Pick<AuthSettings, "keys">;
  /** Is awaited after each change: whoever keeps keys in memory sees it then. */
  readonly changed?: () => Promise<void>;
  /** Unix milliseconds. */
  readonly now?: () => number;
}

/** Makes, finds, changes and revokes keys. All fail with NOT_FOUND, FAILED_PRECONDITION, or INVALID_VALUE, which names the field. */
export interface KeyManager {
  create(request: CreateKeyRequest): Promise<{ readonly key: Key; readonly secret: string }>;
  get(request: GetKeyRequest): Promise<Key>;
  update(request: UpdateKeyRequest): Promise<Key>;
  revoke(request: RevokeKeyRequest): Promise<Key>;
}

/** Makes what manages the keys of a store and of a configuration. */
export function createKeyManager({ store, auth, changed, now = Date.now }: KeyManagerOptions): KeyManager {
  const configured = new Map(auth.keys.map((key) => [key.id, key]));
  const open = async (): Promise<KeyRows> => createKeyRows(await store.open());

  /** The rows, where there can be one of that id: nobody makes a database by asking for what is not in it. */
  async function rowsFor(id: string): Promise<KeyRows> {
    if (configured.has(id)) {
      throw new GatewayError(
        Reason.FAILED_PRECONDITION,
        "the key stands in the configuration, and can be changed only there",
        { param: "id" },
      );
    }
    if (!store.exists) throw missing();
    return await open();
  }

  return {
    async create(request) {
      await validate(CreateKeyRequestSchema, request);
      checkTexts(request);
      const end = readEnd(request.expiresAt, now);
      const secret = createSecret();
      const row = await (await open()).insert({
        id: `key_${randomText(24)}`,
        name: request.name,
        hash: hashSecret(secret),
        hint: hintOf(secret),
        scopes: JSON.stringify(request.scopes.length === 0 ? DEFAULT_SCOPES : request.scopes),
        models: JSON.stringify(request.models),
        limits: writeKeyLimits(request.limits),
        log_content: request.logContent ? 1 : 0,
        expires_at: end ?? null,
      });
      await changed?.();
      return { key: keyOfRow(row), secret };
    },

    async get(request) {
      await validate(GetKeyRequestSchema, request);
      const found = configured.get(request.id);
      if (found !== undefined) return keyOfConfig(found);
      const row = store.exists ? await (await open()).get(request.id) : undefined;
      if (row === undefined) throw missing();
      return keyOfRow(row);
    },

    async update(request) {
      await validate(UpdateKeyRequestSchema, request);
      checkTexts(request);
      const end = readEnd(request.expiresAt, now);
      const rows = await rowsFor(request.id);
      const before = await rows.get(request.id);
      if (before === undefined) throw missing();
      if (before.revoked_at !== null) {
        throw new GatewayError(Reason.FAILED_PRECONDITION, "the key was revoked, which is for ever", { param: "id" });
      }
      const row = await rows.update(request.id, {
        ...(request.name === undefined ? {} : { name: request.name }),
        ...(request.scopes.length === 0 ? {} : { scopes: JSON.stringify(request.scopes) }),
        ...(request.models.length === 0 ? {} : { models: JSON.stringify(request.models) }),
        ...(request.limits === undefined ? {} : { limits: writeKeyLimits(request.limits) }),
        ...(request.logContent === undefined ? {} : { log_content: request.logContent ? 1 : 0 }),
        ...(end === undefined ? {} : { expires_at: end }),
      });
      if (row === undefined) throw missing();
      await changed?.();
      return keyOfRow(row);
    },

    async revoke(request) {
      await validate(RevokeKeyRequestSchema, request);
      const row = await (await rowsFor(request.id)).revoke(request.id);
      if (row === undefined) throw missing();
      await changed?.();
      return keyOfRow(row);
    },
  };
}

const missing = (): GatewayError => new GatewayError(Reason.NOT_FOUND, "there is no key with this id", { param: "id" });

/** Checks what the contract's rules don't say of the texts of a key. */
function checkTexts({ name, models }: Pick<CreateKeyRequest, "models"> & { readonly name?: string | undefined }): void {
  // What no database keeps would not come back as it was.
  if (name !== undefined && (name.includes("\0") || !name.isWellFormed())) {
    throw invalid("name", "must be text without U+0000 and without halves of characters");
  }
  for (const [index, pattern] of models.entries()) {
    if (CONTROL.test(pattern) || !pattern.isWellFormed()) {
      throw invalid(`models[${index}]`, "must not have control characters, which no model has in its name");
    }
  }
}

/** When a key ends, in Unix milliseconds; undefined: it is not said. */
function readEnd(time: Timestamp | undefined, now: () => number): number | undefined {
  if (time === undefined) return undefined;
  const end = Math.floor(timestampMs(time));
  if (end <= now() || end > LAST_MS) throw invalid("expires_at", "must be in the future, and before the year 10000");
  return end;
}

const invalid = (param: string, what: string): GatewayError =>
  new GatewayError(Reason.INVALID_VALUE, `${param} ${what}`, {
    param,
    violations: [{ path: param, description: `${param} ${what}`, rule: "keys.text" }],
  });

/** A key of the store, without its hash. */
export function keyOfRow(row: KeyRow): Key {
  const limits = readKeyLimits(row);
  return create(KeySchema, {
    id: row.id,
    name: row.name,
    hint: row.hint,
    scopes: [...readKeyScopes(row)],
    models: [...readKeyModels(row)],
    ...(limits === undefined ? {} : { limits }),
    logContent: row.log_content !== 0,
    source: Key_Source.DATABASE,
    createdAt: timestampFromMs(row.created_at),
    ...(row.expires_at === null ? {} : { expiresAt: timestampFromMs(row.expires_at) }),
    ...(row.revoked_at === null ? {} : { revokedAt: timestampFromMs(row.revoked_at) }),
  });
}

/** A key of the configuration, without its hash. */
export const keyOfConfig = ({ id, scopes, models, limits, logContent }: ConfigKeySettings): Key =>
  create(KeySchema, {
    id,
    scopes: [...scopes],
    models: [...models],
    ...(limits === undefined ? {} : { limits }),
    logContent,
    source: Key_Source.CONFIG,
  });
