import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";

const isForeign = ({ typeName }: DescMessage): boolean => typeName.startsWith("google.protobuf.");

/** "Message.field" of all fields of a message and of those below it, and "Message.field=WORD" of all that an enum can say. */
export function reachableFields(desc: DescMessage, seen = new Set<DescMessage>()): string[] {
  if (seen.has(desc) || isForeign(desc)) return [];
  seen.add(desc);
  return desc.fields.flatMap((field) => [
    nameOf(field),
    ...(field.enum?.values ?? []).filter(({ number }) => number !== 0).map(({ name }) => `${nameOf(field)}=${name}`),
    ...(field.message === undefined ? [] : reachableFields(field.message, seen)),
  ]);
}

/** Those of them that are set in a message. */
export function setFields(desc: DescMessage, message: Message): string[] {
  if (isForeign(desc)) return [];
  const reflected = reflect(desc, message);
  return desc.fields
    .filter((field) => reflected.isSet(field))
    .flatMap((field) => [nameOf(field), ...valuesOf(field, message).flatMap((value) => within(field, value))]);
}

const nameOf = (field: DescField): string => `${field.parent.name}.${field.name}`;

function valuesOf(field: DescField, message: Message): unknown[] {
  const properties = message as unknown as Record<string, { readonly value: unknown }>;
  const held: unknown =
    field.oneof === undefined ? properties[field.localName] : properties[field.oneof.localName]?.value;
  if (field.fieldKind === "list") return held as unknown[];
  return field.fieldKind === "map" ? Object.values(held as object) : [held];
}

function within(field: DescField, value: unknown): string[] {
  if (field.enum !== undefined) return [`${nameOf(field)}=${field.enum.value[value as number]?.name}`];
  return field.message === undefined ? [] : setFields(field.message, value as Message);
}
