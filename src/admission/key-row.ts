import { fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { type KeyLimits, KeyLimitsSchema } from "../gen/parley/keys/v1/limits_pb.ts";
import type { Scope } from "../gen/parley/scopes/v1/scopes_pb.ts";
import type { KeyRow } from "../store/keys.ts";

/** What a key may be used for. */
export const readKeyScopes = ({ scopes }: Pick<KeyRow, "scopes">): readonly Scope[] => JSON.parse(scopes) as Scope[];

/** Which models it may be used for. */
export const readKeyModels = ({ models }: Pick<KeyRow, "models">): readonly string[] => JSON.parse(models) as string[];

/** How much it may be used; undefined: as others without limits of their own. What a newer version has written besides is passed over. */
export const readKeyLimits = ({ limits }: Pick<KeyRow, "limits">): KeyLimits | undefined =>
  limits === null ? undefined : fromJsonString(KeyLimitsSchema, limits, { ignoreUnknownFields: true });

/** Writes limits as they are kept. */
export const writeKeyLimits = (limits: KeyLimits | undefined): string | null =>
  limits === undefined ? null : toJsonString(KeyLimitsSchema, limits);
