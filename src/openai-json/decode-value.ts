import { type DescMessage, fromJson, type JsonObject, type JsonValue, type Message } from "@bufbuild/protobuf";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import {
  decodeBool,
  decodeBytes,
  decodeDouble,
  decodeDuration,
  decodeInt,
  decodeLong,
  decodeString,
  decodeTimestamp,
  expectedKey,
  isMapKey,
} from "./decode-scalar.ts";
import { isObject } from "./is-object.ts";
import type { BareUnionPlan, FieldPlan, Held, MessagePlan, ValuePlan } from "./plan.ts";
import { type Place, refuse, refuseType, refuseWord } from "./refuse.ts";
import { textOf } from "./source-text.ts";
import type { EnumWords } from "./words.ts";

/** One decoding. */
export interface DecodeWalk extends Place {
  /** Whether words that are not known are taken for unset. */
  readonly lenient: boolean;
  /** Decodes the object form of a message. */
  decodeObject(plan: MessagePlan, json: JsonObject, walk: DecodeWalk): Message;
  /** Takes down, or refuses, the key at this place, which no message knows and none keeps. */
  unknownKey(): void;
}

/** Decodes what stands under a field's key, and is not null. */
export function decodeField(field: FieldPlan, json: JsonValue, walk: DecodeWalk): unknown {
  switch (field.kind) {
    case "single":
      return decodeValue(field.value, json, walk);
    case "list":
      return decodeList(field, json, walk);
    case "map":
      return decodeMap(field, json, walk);
  }
}

/** Decodes one value; undefined where a lenient decoding does not know an enum's word. */
export function decodeKnown(value: ValuePlan, json: JsonValue, walk: DecodeWalk): unknown {
  const decoded = decodeValue(value, json, walk);
  return value.kind === "enum" && !value.words.wordOf.has(decoded as number) ? undefined : decoded;
}

function decodeValue(value: ValuePlan, json: JsonValue, walk: DecodeWalk): unknown {
  switch (value.kind) {
    case "string":
      return decodeString(json, walk);
    case "bool":
      return decodeBool(json, walk);
    case "int":
      return decodeInt(json, value, walk);
    case "long":
      return decodeLong(json, value, walk);
    case "double":
      return decodeDouble(json, value.single, walk);
    case "enum":
      return decodeWord(value.words, json, walk);
    case "bytes":
      return decodeBytes(json, walk);
    case "duration":
      return decodeDuration(json, walk);
    case "timestamp":
      return decodeTimestamp(json, walk);
    case "message":
      return decodeMessage(value.plan, json, walk);
    case "struct":
      // Not copied: the JSON and the message share it.
      return isObject(json) ? json : refuseType(walk, "an object", json);
    case "json":
      return decodeAnyJson(value.desc, value.list, json, walk);
    case "json_text":
      return textOf(json);
  }
}

function decodeMessage(plan: MessagePlan, json: JsonValue, walk: DecodeWalk): Message {
  if (isObject(json)) return walk.decodeObject(plan, json, walk);
  if (plan.bareUnion === undefined) return refuseType(walk, "an object", json);
  return typeof json === "string"
    ? decodeBare(plan, plan.bareUnion, json, walk)
    : refuseType(walk, "a string or an object", json);
}

/** The bare form is a string, or an enum's word. */
function decodeBare({ blank }: MessagePlan, { name, bare }: BareUnionPlan, json: string, walk: DecodeWalk): Message {
  const message = blank();
  const value = decodeKnown(bare.value, json, walk);
  if (value !== undefined) (message as unknown as Record<string, Held>)[name] = { case: bare.name, value };
  return message;
}

function decodeWord({ numberOf }: EnumWords, json: JsonValue, walk: DecodeWalk): number {
  const number = typeof json === "string" ? numberOf.get(json) : undefined;
  if (number !== undefined) return number;
  return walk.lenient && typeof json === "string" ? 0 : refuseWord(walk, numberOf.keys(), json);
}

function decodeAnyJson(desc: DescMessage, isList: boolean, json: JsonValue, walk: DecodeWalk): Message {
  if (isList && !Array.isArray(json)) return refuseType(walk, "an array", json);
  try {
    return fromJson(desc, json);
  } catch {
    // The library's message would quote the JSON.
    return refuse(walk, "must be JSON with at most 100 levels");
  }
}

function decodeList({ value, shorthand }: FieldPlan, json: JsonValue, walk: DecodeWalk): unknown[] {
  if (shorthand && typeof json === "string")
    return [decodeKnown(value, json, walk)].filter((element) => element !== undefined);
  if (!Array.isArray(json)) return refuseType(walk, shorthand ? "a string or an array" : "an array", json);
  const list: unknown[] = [];
  for (let index = 0; index < json.length; index++) {
    walk.path.push(index);
    const element = decodeElement(value, json[index]!, walk);
    if (element !== undefined) list.push(element);
    walk.path.pop();
  }
  return list;
}

function decodeElement(value: ValuePlan, json: JsonValue, walk: DecodeWalk): unknown {
  // In an array, OpenAI writes a message bare only where it has no other form.
  if (value.kind === "message" && !isObject(json) && value.plan.bareUnion?.alwaysBare !== true)
    return refuseType(walk, "an object", json);
  return decodeKnown(value, json, walk);
}

function decodeMap({ value, mapKey }: FieldPlan, json: JsonValue, walk: DecodeWalk): Record<string, unknown> {
  if (!isObject(json)) return refuseType(walk, "an object", json);
  const map: Record<string, unknown> = {};
  for (const key of Object.keys(json)) {
    walk.path.push(key);
    if (key === "__proto__") refuseProto(walk);
    if (!isMapKey(mapKey!, key)) refuse(walk, `must have a key that is ${expectedKey(mapKey!)}`);
    const entry = decodeKnown(value, json[key]!, walk);
    if (entry !== undefined) map[key] = entry;
    walk.path.pop();
  }
  return map;
}

/** Refuses the key "__proto__", which would become a prototype somewhere. */
export function refuseProto(place: Place): never {
  return refuse(place, "is a key that is not allowed", Reason.INVALID_JSON);
}
