import { type DescField, type DescMessage, type DescOneof, getOption } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { Absent, json, json_message, json_oneof } from "../gen/parley/options/v1/options_pb.ts";
import { blankOf } from "./blank.ts";
import { compileScalar, compileValue } from "./compile-value.ts";
import type { BareUnionPlan, FieldPlan, MemberPlan, MessagePlan, Slot, UnionPlan } from "./plan.ts";
import { valuesOf } from "./values.ts";

/** A plan while it is being made: messages can contain themselves. */
type Draft = { -readonly [Key in keyof MessagePlan]: MessagePlan[Key] };

const plans = new WeakMap<DescMessage, MessagePlan>();

/**
 * The plan of a message, made of its descriptor and the options of parley.options.v1 when it is first asked for. Throws an Error
 * where the options contradict each other, or for a type without a form in OpenAI's JSON.
 */
export function planOf(desc: DescMessage): MessagePlan {
  return plans.get(desc) ?? compileMessage(desc);
}

function compileMessage(desc: DescMessage): MessagePlan {
  const draft: Draft = {
    desc,
    blank: blankOf(desc),
    valuesOf: valuesOf(desc),
    constants: Object.entries(getOption(desc, json_message).constants).map(([key, value]) => ({ key, value })),
    parts: [],
    unions: [],
    hasDiscriminators: false,
    slots: new Map(),
    catchAll: desc.fields.find(isCatchAll)?.localName,
    catchAllAt: desc.members.findIndex((member) => member.kind === "field" && isCatchAll(member)),
    bareUnion: undefined,
  };
  plans.set(desc, draft);
  try {
    const members = desc.members.filter((member) => member.kind === "oneof" || !isCatchAll(member));
    draft.parts = members.map((member) => (member.kind === "oneof" ? compileUnion(member) : compileField(member)));
    draft.unions = draft.parts.filter((part) => part.kind === "union");
    draft.hasDiscriminators = draft.unions.some(({ discriminator }) => discriminator !== undefined);
    draft.slots = collectSlots(draft);
    draft.bareUnion = draft.unions.find((union): union is BareUnionPlan => union.bare !== undefined);
  } catch (error) {
    plans.delete(desc);
    throw error;
  }
  return draft;
}

const withouts = new WeakMap<MessagePlan, Map<string, MessagePlan>>();

/** The plan of a message without one of its fields, by the name of its property; made when it is first asked for. */
export function planWithout(desc: DescMessage, name: string): MessagePlan {
  const plan = planOf(desc);
  const known = withouts.get(plan) ?? new Map<string, MessagePlan>();
  withouts.set(plan, known);
  const without = known.get(name) ?? { ...plan, parts: plan.parts.filter((part) => part.name !== name) };
  known.set(name, without);
  return without;
}

function isCatchAll(field: DescField): boolean {
  return getOption(field, json).catchAll;
}

function compileField(field: DescField): FieldPlan {
  const { absent, shorthand, nullBeside } = getOption(field, json);
  const beside = nullBeside === "" ? undefined : field.parent.fields.find(({ name }) => name === nullBeside);
  if (nullBeside !== "" && beside === undefined) throw new Error(`${field}: there is no field ${nullBeside} beside it`);
  const value = compileValue(field, planOf);
  if (shorthand && !(field.fieldKind === "list" && ["string", "enum", "message"].includes(value.kind)))
    throw new Error(`${field}: only a list of strings, enums or messages can have a shorthand`);
  return {
    kind: field.fieldKind === "list" || field.fieldKind === "map" ? field.fieldKind : "single",
    key: keyOf(field),
    name: field.localName,
    at: field.parent.members.indexOf(field),
    value,
    zeroIsUnset:
      field.presence === FeatureSet_FieldPresence.IMPLICIT && value.kind === "enum" && !value.words.wordOf.has(0),
    absent,
    nullBeside: beside?.localName,
    nullBesideAt: beside === undefined ? -1 : field.parent.members.indexOf(beside),
    hasAbsentForm: absent !== Absent.UNSPECIFIED || beside !== undefined,
    shorthand,
    mapKey: field.fieldKind === "map" ? compileScalar(field.mapKey, false) : undefined,
  };
}

function compileUnion(oneof: DescOneof): UnionPlan {
  const { discriminator, bare: bareName, inline } = getOption(oneof, json_oneof);
  const texts = oneof.fields.map((field) => compileMember(field)).filter(isJsonText);
  const members = oneof.fields.map((field) => compileMember(field, texts));
  const bare = members[oneof.fields.findIndex((field) => field.name === bareName)];
  if (bareName !== "" && bare?.value.kind !== "string" && bare?.value.kind !== "enum")
    throw new Error(`${oneof}: the bare member must be a string or an enum`);
  if (inline && (discriminator === "" || members.some(({ value }) => value.kind !== "message")))
    throw new Error(`${oneof}: inline members must be messages, and need a discriminator`);
  // Without other fields there is nothing that the bare form could not say.
  const alwaysBare = bare !== undefined && oneof.parent.fields.length === oneof.fields.length;
  return {
    kind: "union",
    name: oneof.localName,
    at: oneof.parent.members.indexOf(oneof),
    discriminator: discriminator || undefined,
    inline,
    bare,
    alwaysBare,
    byCase: new Map(members.map((member) => [member.name, member])),
    byKey: collectKeys(alwaysBare ? members.filter((member) => member !== bare) : members),
  };
}

function collectKeys(members: readonly MemberPlan[]): Map<string, MemberPlan> {
  const byKey = new Map<string, MemberPlan>();
  for (const member of members) {
    const twin = byKey.get(member.key);
    if (twin !== undefined && isJsonText(twin) === isJsonText(member))
      throw new Error(`two members of a oneof have the key "${member.key}"`);
    if (twin === undefined || isJsonText(twin)) byKey.set(member.key, member);
  }
  return byKey;
}

function isJsonText({ value }: MemberPlan): boolean {
  return value.kind === "json_text";
}

/** `texts`: the members of its oneof that hold JSON text. */
function compileMember(field: DescField, texts: readonly MemberPlan[] = []): MemberPlan {
  const name = field.localName;
  const key = keyOf(field);
  return {
    name,
    key,
    value: compileValue(field, planOf),
    hollow: field.message?.fields.length === 0,
    textTwin: texts.find((text) => text.key === key && text.name !== name),
  };
}

function keyOf(field: DescField): string {
  return getOption(field, json).name || field.name;
}

function collectSlots({ desc, constants, parts }: MessagePlan): Map<string, Slot> {
  const slots = new Map<string, Slot>();
  const add = (key: string, slot: Slot): void => {
    if (slots.has(key)) throw new Error(`${desc}: the key "${key}" means two things`);
    slots.set(key, slot);
  };
  for (const { key, value } of constants) add(key, { kind: "constant", value });
  for (const part of parts) {
    if (part.kind !== "union") {
      add(part.key, { kind: "field", field: part });
      continue;
    }
    if (part.discriminator !== undefined) add(part.discriminator, { kind: "discriminator", union: part });
    if (part.inline) continue;
    for (const member of part.byKey.values()) add(member.key, { kind: "member", union: part, member });
  }
  return slots;
}
