import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import type { Caller } from "../admission/caller.ts";
import { KeyLimitsSchema } from "../gen/parley/keys/v1/limits_pb.ts";
import type { Scope } from "../gen/parley/scopes/v1/scopes_pb.ts";

/** A caller as it is stored. */
interface StoredCaller {
  readonly id: string;
  readonly scopes: readonly Scope[];
  readonly models: readonly string[];
  /** ProtoJSON of parley.keys.v1.KeyLimits. */
  readonly limits?: JsonValue;
  readonly logContent: boolean;
}

/** Writes a caller as JSON. */
export function encodeCaller({ id, scopes, models, limits, logContent }: Caller): string {
  const stored: StoredCaller = {
    id,
    scopes: [...scopes],
    models,
    logContent,
    ...(limits === undefined ? {} : { limits: toJson(KeyLimitsSchema, limits) }),
  };
  return JSON.stringify(stored);
}

/** Reads what `encodeCaller` wrote. */
export function decodeCaller(text: string): Caller {
  const { id, scopes, models, limits, logContent } = JSON.parse(text) as StoredCaller;
  return {
    id,
    scopes: new Set(scopes),
    models,
    logContent,
    limits: limits === undefined ? undefined : fromJson(KeyLimitsSchema, limits),
  };
}
