import type { JsonObject, JsonValue, Message } from "@bufbuild/protobuf";
import { Absent } from "../gen/parley/options/v1/options_pb.ts";
import { rethrowAt } from "./encode-fault.ts";
import { type EncodeWalk, encodeList, encodeMap, encodeValue, setKey } from "./encode-value.ts";
import type { FieldPlan, Held, MessagePlan, Slot, UnionPlan } from "./plan.ts";

/** A message by its properties. */
type Properties = Readonly<Record<string, unknown>>;

/** Encodes the object form of a message. */
export function encodeObject(plan: MessagePlan, message: Message, walk: EncodeWalk): JsonObject {
  const json: JsonObject = {};
  fillObject(json, plan, message, walk);
  return json;
}

function fillObject(json: JsonObject, plan: MessagePlan, message: Message, walk: EncodeWalk): void {
  const values = plan.valuesOf(message);
  for (const { key, value } of plan.constants) json[key] = value;
  /** Where it is. A union takes care of its own. */
  let at: FieldPlan | undefined;
  try {
    for (const part of plan.parts) {
      const value = values[part.at];
      if (part.kind === "union") {
        at = undefined;
        fillUnion(json, part, value as Held, walk);
      } else if (value !== undefined && !isEmpty(part, value)) {
        at = part;
        json[part.key] = encodeField(part, value, walk);
      } else if (part.hasAbsentForm) {
        const absent = encodeAbsent(part, values, walk);
        if (absent !== undefined) json[part.key] = absent;
      }
    }
  } catch (error) {
    if (at === undefined) throw error;
    rethrowAt(at.key, error);
  }
  if (plan.catchAll !== undefined) fillUnknown(json, plan, values);
}

function isEmpty({ kind, zeroIsUnset }: FieldPlan, value: unknown): boolean {
  switch (kind) {
    case "single":
      return value === 0 && zeroIsUnset;
    case "list":
      return (value as readonly unknown[]).length === 0;
    case "map":
      return Object.keys(value as object).length === 0;
  }
}

function encodeField(field: FieldPlan, value: unknown, walk: EncodeWalk): JsonValue {
  switch (field.kind) {
    case "single":
      return encodeValue(field.value, value, walk);
    case "list":
      return encodeList(field, value as readonly unknown[], walk);
    case "map":
      return encodeMap(field, value as Properties, walk);
  }
}

function encodeAbsent(field: FieldPlan, values: readonly unknown[], { nulls }: EncodeWalk): JsonValue | undefined {
  switch (field.absent) {
    case Absent.NULL:
      return nulls ? null : undefined;
    case Absent.NULL_ALWAYS:
      return null;
    case Absent.EMPTY:
      return field.kind === "list" ? [] : {};
    default:
      return field.nullBesideAt >= 0 && nulls && isSaid(values[field.nullBesideAt]) ? null : undefined;
  }
}

/** Whether the field beside says something; zero of an enum does not. */
function isSaid(value: unknown): boolean {
  return value !== undefined && value !== 0;
}

function fillUnion(json: JsonObject, union: UnionPlan, { case: name, value }: Held, walk: EncodeWalk): void {
  const member = name === undefined ? undefined : union.byCase.get(name);
  if (member === undefined) return;
  const { value: plan, key, hollow } = member;
  if (union.discriminator !== undefined) json[union.discriminator] = key;
  if (hollow && union.discriminator !== undefined) return;
  if (union.inline && plan.kind === "message") {
    fillObject(json, plan.plan, value as Message, walk);
    return;
  }
  try {
    json[key] = encodeValue(plan, value, walk);
  } catch (error) {
    rethrowAt(key, error);
  }
}

/** Writes the keys of a catch-all field, as far as they can't pass for known ones. */
function fillUnknown(json: JsonObject, plan: MessagePlan, values: readonly unknown[]): void {
  const unknown = values[plan.catchAllAt] as JsonObject | undefined;
  if (unknown === undefined) return;
  for (const key of Object.keys(unknown)) {
    if (Object.hasOwn(json, key)) continue;
    const slot = plan.slots.get(key);
    if (slot === undefined || isForeign(slot, values, unknown)) setKey(json, key, unknown[key]!);
  }
}

/**
 * Whether a key that this message knows means something else here: another union member's, next to the one that is set; a
 * discriminator with a word that is not known, and all members' next to it.
 */
function isForeign(slot: Slot, values: readonly unknown[], unknown: JsonObject): boolean {
  if (slot.kind === "constant" || slot.kind === "field") return false;
  const { discriminator, byKey, at } = slot.union;
  if (discriminator === undefined) return false;
  // Its discriminator and its own key are written already.
  if ((values[at] as Held).case !== undefined) return true;
  const word = unknown[discriminator];
  return typeof word === "string" && !byKey.has(word);
}
