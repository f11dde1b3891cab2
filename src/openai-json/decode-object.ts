import type { JsonObject, JsonValue, Message } from "@bufbuild/protobuf";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { type DecodeWalk, decodeField, decodeKnown, refuseProto } from "./decode-value.ts";
import { isObject } from "./is-object.ts";
import type { Held, MemberPlan, MessagePlan, UnionPlan } from "./plan.ts";
import { pathOf, refuse, refuseWord } from "./refuse.ts";
import { hasSource } from "./source-text.ts";

/** A message that an object is being read into. An object can fill several: its own and those of inline members. */
interface Reading {
  readonly plan: MessagePlan;
  /** The message, by its properties. */
  readonly properties: Record<string, unknown>;
  /** What the discriminators name. */
  readonly choices: ReadonlyMap<UnionPlan, Choice>;
}

/** A member, or "none" for a word that is not known. */
type Choice = MemberPlan | "none";

const NO_CHOICES: ReadonlyMap<UnionPlan, Choice> = new Map();

/** Decodes the object form of a message. */
export function decodeObject(plan: MessagePlan, json: JsonObject, walk: DecodeWalk): Message {
  if (plan.hasDiscriminators) return decodeChosen(plan, json, walk);
  const message = plan.blank();
  const reading: Reading = { plan, properties: message as unknown as Record<string, unknown>, choices: NO_CHOICES };
  for (const key of Object.keys(json)) {
    walk.path.push(key);
    const value = json[key]!;
    if (!readKey(reading, key, value, walk)) keepUnknown(reading, key, value, walk);
    walk.path.pop();
  }
  return message;
}

/** Decodes a message whose members discriminators name. */
function decodeChosen(plan: MessagePlan, json: JsonObject, walk: DecodeWalk): Message {
  const readings: Reading[] = [];
  const message = openReading(plan, json, walk, readings);
  for (const key of Object.keys(json)) {
    walk.path.push(key);
    const value = json[key]!;
    const isKnown = readings.some((reading) => readKey(reading, key, value, walk));
    if (!isKnown) keepUnknown(readings.find(hasCatchAll), key, value, walk);
    walk.path.pop();
  }
  for (const reading of readings) closeReading(reading, walk);
  return message;
}

function openReading(plan: MessagePlan, json: JsonObject, walk: DecodeWalk, readings: Reading[]): Message {
  const message = plan.blank();
  const properties = message as unknown as Record<string, unknown>;
  const choices = plan.hasDiscriminators ? chooseMembers(plan, json, walk) : NO_CHOICES;
  readings.push({ plan, properties, choices });
  for (const [union, member] of choices) {
    if (!union.inline || member === "none" || member.value.kind !== "message") continue;
    const value = openReading(member.value.plan, json, walk, readings);
    properties[union.name] = { case: member.name, value } satisfies Held;
  }
  return message;
}

function chooseMembers({ unions }: MessagePlan, json: JsonObject, walk: DecodeWalk): Map<UnionPlan, Choice> {
  const choices = new Map<UnionPlan, Choice>();
  for (const union of unions) {
    const word = union.discriminator === undefined ? undefined : json[union.discriminator];
    if (word === undefined || word === null) continue;
    const member = typeof word === "string" ? union.byKey.get(word) : undefined;
    if (member === undefined && !(walk.lenient && typeof word === "string")) {
      walk.path.push(union.discriminator!);
      refuseWord(walk, union.byKey.keys(), word);
    }
    choices.set(union, member ?? "none");
  }
  return choices;
}

/** Reads a key and its value; false if this message does not know it. */
function readKey({ plan, properties, choices }: Reading, key: string, json: JsonValue, walk: DecodeWalk): boolean {
  const slot = plan.slots.get(key);
  switch (slot?.kind) {
    case undefined:
      return false;
    case "constant":
      if (json !== slot.value && json !== null && !walk.lenient) refuseWord(walk, [slot.value], json);
      return true;
    case "discriminator":
      return choices.get(slot.union) !== "none";
    case "field":
      if (json !== null) properties[slot.field.name] = decodeField(slot.field, json, walk);
      return true;
    case "member": {
      const { union, member } = slot;
      const choice = choices.get(union);
      if (json === null) return true;
      if (choice !== undefined && choice !== member) return false;
      const { case: other } = properties[union.name] as Held;
      if (other !== undefined) refuse(walk, `can't be set together with ${union.byCase.get(other)!.key}`);
      const holder = memberFor(member, json);
      const value = decodeKnown(holder.value, json, walk);
      if (value !== undefined) properties[union.name] = { case: holder.name, value } satisfies Held;
      return true;
    }
  }
}

/** An object whose numbers doubles would change goes into the member that holds it as text, where there is one. */
function memberFor(member: MemberPlan, json: JsonValue): MemberPlan {
  return member.textTwin !== undefined && isObject(json) && hasSource(json) ? member.textTwin : member;
}

const hasCatchAll = ({ plan }: Reading): boolean => plan.catchAll !== undefined;

/** `keeper`: the message whose catch-all field keeps the key, where it has one. */
function keepUnknown(keeper: Reading | undefined, key: string, json: JsonValue, walk: DecodeWalk): void {
  if (key === "__proto__") refuseProto(walk);
  const name = keeper?.plan.catchAll;
  if (keeper === undefined || name === undefined) {
    walk.unknownKey();
    return;
  }
  keeper.properties[name] ??= {};
  (keeper.properties[name] as JsonObject)[key] = json;
}

/** Sees to the members that a discriminator named and that no key brought. */
function closeReading({ properties, choices }: Reading, walk: DecodeWalk): void {
  for (const [union, member] of choices) {
    if (member === "none" || (properties[union.name] as Held).case !== undefined) continue;
    if (!member.hollow || member.value.kind !== "message") refuseMissing(union, member, walk);
    else properties[union.name] = { case: member.name, value: member.value.plan.blank() } satisfies Held;
  }
}

function refuseMissing({ discriminator }: UnionPlan, { key }: MemberPlan, walk: DecodeWalk): never {
  const said = pathOf(walk, discriminator);
  walk.path.push(key);
  return refuse(walk, `is missing; it belongs to ${said} "${key}"`, Reason.MISSING_PARAMETER);
}
