import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { parseDuration } from "./duration.ts";
import type { ValuePlan } from "./plan.ts";
import { type Place, refuse, refuseType } from "./refuse.ts";

type Int = Extract<ValuePlan, { kind: "int" }>;
type Long = Extract<ValuePlan, { kind: "long" }>;

const BYTES = "an array of integers from 0 to 255";

/** A boolean. */
export function decodeBool(json: JsonValue, place: Place): boolean {
  return typeof json === "boolean" ? json : refuseType(place, "a boolean", json);
}

/** A string. */
export function decodeString(json: JsonValue, place: Place): string {
  return typeof json === "string" ? json : refuseType(place, "a string", json);
}

/** A finite number; `single`: one that 32 bits can hold. */
export function decodeDouble(json: JsonValue, single: boolean, place: Place): number {
  if (typeof json !== "number") return refuseType(place, "a number", json);
  const kept = single ? Math.fround(json) : json;
  if (!Number.isFinite(kept)) return refuse(place, `must be a finite number, not ${json}`);
  return withoutSign(kept);
}

/** An integer of up to 32 bits. */
export function decodeInt(json: JsonValue, { least, most }: Int, place: Place): number {
  if (typeof json !== "number") return refuseType(place, "an integer", json);
  if (!Number.isInteger(json)) return refuse(place, `must be an integer, not ${json}`);
  if (json < least || json > most) return refuse(place, `must be an integer from ${least} to ${most}, not ${json}`);
  return withoutSign(json);
}

/** An integer of 64 bits: a number without loss, so up to 2^53-1, or a decimal string. */
export function decodeLong(json: JsonValue, { least, most, asString }: Long, place: Place): bigint | string {
  const long = toBigInt(json, place);
  if (long < least || long > most) return refuse(place, `must be an integer from ${least} to ${most}, not ${long}`);
  return asString ? String(long) : long;
}

function toBigInt(json: JsonValue, place: Place): bigint {
  if (typeof json === "string" && /^-?[0-9]{1,20}$/.test(json)) return BigInt(json);
  if (typeof json === "string") return refuse(place, "must be an integer; as a string, in decimal digits");
  if (typeof json !== "number") return refuseType(place, "an integer", json);
  if (Number.isSafeInteger(json)) return BigInt(json);
  if (!Number.isInteger(json)) return refuse(place, `must be an integer, not ${json}`);
  return refuse(place, `must be an integer from -(2^53-1) to 2^53-1, or a decimal string; ${json} has been rounded`);
}

/** A list of bytes. */
export function decodeBytes(json: JsonValue, place: Place): Uint8Array {
  if (!Array.isArray(json)) return refuseType(place, BYTES, json);
  const wrong = json.findIndex((byte) => typeof byte !== "number" || !(byte >= 0 && byte <= 255 && byte % 1 === 0));
  if (wrong === -1) return Uint8Array.from(json as number[]);
  place.path.push(wrong);
  const byte = json[wrong];
  if (typeof byte !== "number") return refuseType(place, "an integer from 0 to 255", byte);
  return refuse(place, `must be an integer from 0 to 255, not ${byte}`);
}

/** A time, as ProtoJSON has it: RFC 3339. */
export function decodeTimestamp(json: JsonValue, place: Place): object {
  if (typeof json !== "string") return refuseType(place, 'a time such as "2026-01-31T12:00:00Z"', json);
  try {
    return fromJson(TimestampSchema, json);
  } catch {
    return refuse(place, 'must be a time, such as "2026-01-31T12:00:00Z"');
  }
}

/** A duration in seconds. */
export function decodeDuration(json: JsonValue, place: Place): object {
  if (typeof json !== "string") return refuseType(place, 'a duration such as "1.5s"', json);
  return parseDuration(json) ?? refuse(place, 'must be a duration in seconds, such as "1.5s"');
}

/** -0 is 0 in JSON's eyes, but would count as set in a message. */
function withoutSign(value: number): number {
  return value === 0 ? 0 : value;
}

/** Whether an object's key can be a map's. */
export function isMapKey(plan: ValuePlan, key: string): boolean {
  switch (plan.kind) {
    case "bool":
      return key === "true" || key === "false";
    case "int":
    case "long":
      return /^(?:0|-?[1-9][0-9]{0,19})$/.test(key) && BigInt(key) >= plan.least && BigInt(key) <= plan.most;
    default:
      return true;
  }
}

/** What a map's key has to be. */
export function expectedKey(plan: ValuePlan): string {
  return plan.kind === "int" || plan.kind === "long" ? `an integer from ${plan.least} to ${plan.most}` : "a boolean";
}
