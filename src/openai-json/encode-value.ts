import { type DescMessage, type JsonObject, type JsonValue, type Message, toJson } from "@bufbuild/protobuf";
import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import { EncodeFault, rethrowAt } from "./encode-fault.ts";
import {
  encodeDouble,
  encodeDuration,
  encodeJsonText,
  encodeLong,
  encodeTimestamp,
  encodeWord,
} from "./encode-scalar.ts";
import type { FieldPlan, Held, MessagePlan, UnionPlan, ValuePlan } from "./plan.ts";

/** One encoding. */
export interface EncodeWalk {
  /** Whether null is written where the contract has it for what is unset. */
  readonly nulls: boolean;
  /** Encodes the object form of a message. */
  encodeObject(plan: MessagePlan, message: Message, walk: EncodeWalk): JsonObject;
}

/** Encodes one value that is set. */
export function encodeValue(plan: ValuePlan, value: unknown, walk: EncodeWalk): JsonValue {
  switch (plan.kind) {
    case "string":
      return (value as string).toWellFormed();
    case "bool":
      return value as boolean;
    case "int":
      return value as number;
    case "long":
      return encodeLong(value as bigint | string);
    case "double":
      return encodeDouble(value as number);
    case "enum":
      return encodeWord(plan.words, value as number);
    case "bytes":
      return Array.from(value as Uint8Array);
    case "duration":
      return encodeDuration(value as Duration);
    case "timestamp":
      return encodeTimestamp(value as Timestamp);
    case "message":
      return encodeMessage(plan.plan, value as Message, walk);
    case "struct":
      // Not copied: the message and the JSON share it.
      return value as JsonObject;
    case "json":
      return encodeAnyJson(plan.desc, value as Message);
    case "json_text":
      return encodeJsonText(value as string);
  }
}

function encodeMessage(plan: MessagePlan, message: Message, walk: EncodeWalk): JsonValue {
  const union = plan.bareUnion;
  if (union?.alwaysBare === true) {
    const { case: name, value } = (message as unknown as Record<string, Held>)[union.name]!;
    if (name === union.bare.name) return encodeValue(union.bare.value, value, walk);
  }
  return walk.encodeObject(plan, message, walk);
}

function encodeAnyJson(desc: DescMessage, message: Message): JsonValue {
  try {
    return toJson(desc, message);
  } catch {
    // The library's message would quote the value.
    throw new EncodeFault("can't be written as JSON");
  }
}

/** Encodes a list. */
export function encodeList(
  { value: plan, shorthand }: FieldPlan,
  list: readonly unknown[],
  walk: EncodeWalk,
): JsonValue {
  const json: JsonValue[] = [];
  try {
    if (shorthand && list.length === 1) return encodeOnly(plan, list[0], walk);
    for (const element of list) json.push(encodeValue(plan, element, walk));
  } catch (error) {
    rethrowAt(json.length, error);
  }
  return json;
}

/** Encodes a list of one, which its element stands for where it has a bare form. */
function encodeOnly(plan: ValuePlan, element: unknown, walk: EncodeWalk): JsonValue {
  if (plan.kind === "message") {
    const { bareUnion } = plan.plan;
    if (bareUnion === undefined) return [encodeValue(plan, element, walk)];
    const { case: name, value } = (element as Record<string, Held>)[bareUnion.name]!;
    const isBare = name === bareUnion.bare.name && saysOnly(plan.plan, bareUnion, element as Message);
    return isBare ? encodeValue(bareUnion.bare.value, value, walk) : [encodeValue(plan, element, walk)];
  }
  const json = encodeValue(plan, element, walk);
  return typeof json === "string" ? json : [json];
}

/** Whether a message says nothing besides one of its unions. */
function saysOnly(
  { parts, constants, catchAllAt, valuesOf }: MessagePlan,
  union: UnionPlan,
  message: Message,
): boolean {
  const values = valuesOf(message);
  if (constants.length > 0 || (catchAllAt >= 0 && isSomething(values[catchAllAt]))) return false;
  return parts.every(
    (part) => part === union || (part.kind !== "union" && !part.hasAbsentForm && values[part.at] === undefined),
  );
}

const isSomething = (extra: unknown): boolean => extra !== undefined && Object.keys(extra as object).length > 0;

/** Encodes a map. */
export function encodeMap(
  { value: plan }: FieldPlan,
  map: Readonly<Record<string, unknown>>,
  walk: EncodeWalk,
): JsonObject {
  const json: JsonObject = {};
  for (const key of Object.keys(map)) {
    try {
      setKey(json, key.toWellFormed(), encodeValue(plan, map[key], walk));
    } catch (error) {
      rethrowAt(key, error);
    }
  }
  return json;
}

/** Sets a key that somebody else chose: "__proto__" becomes a key like any other, and no prototype. */
export function setKey(json: JsonObject, key: string, value: JsonValue): void {
  if (key !== "__proto__") json[key] = value;
  else Object.defineProperty(json, key, { value, enumerable: true, configurable: true, writable: true });
}
