import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { loadConfig } from "../config/load-config.ts";
import type { Settings } from "../config/settings.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import {
  CreateKeyRequestSchema,
  CreateKeyResponseSchema,
  type Key,
  ListKeysRequestSchema,
  ListKeysResponseSchema,
  RevokeKeyRequestSchema,
} from "../gen/parley/keys/v1/keys_service_pb.ts";
import { Budget_Period, type KeyLimitsSchema } from "../gen/parley/keys/v1/limits_pb.ts";
import { type Scope, ScopeSchema } from "../gen/parley/scopes/v1/scopes_pb.ts";
import { encodeJson } from "../openai-json/encode.ts";
import { enumWords } from "../openai-json/words.ts";
import type { LateStore } from "../store/store.ts";
import { formatKeys, formatNewKey } from "./format-keys.ts";
import type { Surroundings } from "./surroundings.ts";

/** Options of all commands about keys. */
export interface KeysFlags {
  readonly config?: string;
  readonly json?: boolean;
}

/** Options of `parley keys create`. */
export interface CreateKeyFlags extends KeysFlags {
  readonly name?: string;
  readonly scope?: readonly string[];
  readonly model?: readonly string[];
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: bigint;
  readonly concurrent?: number;
  readonly concurrentStreams?: number;
  readonly budget?: number;
  readonly budgetPer?: "day" | "month";
  /** Unix milliseconds. */
  readonly expires?: number;
  readonly logContent?: boolean;
}

/** Makes a key and prints its secret. */
export function createKey(flags: CreateKeyFlags, surroundings: Surroundings): Promise<number> {
  return withStore(flags, surroundings, async ({ settings, store }) => {
    const { createKeyManager } = await import("../gateway/manage-keys.ts");
    const made = await createKeyManager({ store, auth: settings.auth }).create(requestOf(flags));
    surroundings.stdout.write(
      flags.json === true
        ? toText(encodeJson(CreateKeyResponseSchema, create(CreateKeyResponseSchema, made)))
        : formatNewKey(made.key, made.secret),
    );
  });
}

/** Prints all keys. */
export function listAllKeys(flags: KeysFlags, surroundings: Surroundings): Promise<number> {
  return withStore(flags, surroundings, async ({ settings, store }) => {
    const { listKeys } = await import("../gateway/list-keys.ts");
    const keys: Key[] = [];
    let pageToken = "";
    do {
      const request = create(ListKeysRequestSchema, { pageSize: 1000, pageToken });
      const page = await listKeys(request, { store, auth: settings.auth });
      keys.push(...page.keys);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    surroundings.stdout.write(
      flags.json === true
        ? toText(encodeJson(ListKeysResponseSchema, create(ListKeysResponseSchema, { keys })))
        : formatKeys(keys, Date.now()),
    );
  });
}

/** Revokes a key. */
export function revokeKey(id: string, flags: KeysFlags, surroundings: Surroundings): Promise<number> {
  return withStore(flags, surroundings, async ({ settings, store }) => {
    const { createKeyManager } = await import("../gateway/manage-keys.ts");
    await createKeyManager({ store, auth: settings.auth }).revoke(create(RevokeKeyRequestSchema, { id }));
    surroundings.stdout.write(`${id} is revoked. No call that comes more than a second later can use it.\n`);
  });
}

/** Does something with the store of the configuration, beside a gateway that may serve from it. What goes wrong is said in words. */
async function withStore(
  { config }: KeysFlags,
  { env, cwd, stderr }: Surroundings,
  work: (found: { readonly settings: Settings; readonly store: LateStore }) => Promise<void>,
): Promise<number> {
  // A file that has Parley listen for everybody is not valid before there is a key.
  const settings = await loadConfig({ env, cwd, path: config, listen: "127.0.0.1:0" });
  const { createLateStore } = await import("../store/late-store.ts");
  const { storeFault } = await import("../store/store-error.ts");
  const store = createLateStore(settings.store, { shared: true });
  try {
    await work({ settings, store });
    return 0;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    stderr.write(`${storeFault(error) ?? error.message}\n`);
    return 1;
  } finally {
    await store.close();
  }
}

function requestOf(flags: CreateKeyFlags) {
  const { numberOf } = enumWords(ScopeSchema);
  const limits = limitsOf(flags);
  return create(CreateKeyRequestSchema, {
    name: flags.name ?? "",
    scopes: [...new Set(flags.scope)].map((word) => numberOf.get(word) as Scope),
    models: [...(flags.model ?? [])],
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    logContent: flags.logContent ?? false,
    ...(flags.expires === undefined ? {} : { expiresAt: timestampFromMs(flags.expires) }),
  });
}

function limitsOf(flags: CreateKeyFlags): MessageInitShape<typeof KeyLimitsSchema> {
  const { requestsPerMinute, tokensPerMinute, concurrent, concurrentStreams, budget, budgetPer } = flags;
  const per = budgetPer === "day" ? Budget_Period.DAY : Budget_Period.MONTH;
  return {
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
    ...(concurrent === undefined ? {} : { concurrent }),
    ...(concurrentStreams === undefined ? {} : { concurrentStreams }),
    ...(budget === undefined ? {} : { budget: { dollars: budget, per } }),
  };
}

const toText = (json: object): string => `${JSON.stringify(json, undefined, 2)}\n`;
