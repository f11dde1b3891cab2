import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { isReflectList, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";

/** A field that holds one message. */
export type MessageField = DescField & { fieldKind: "message" };

/** The fields from a message to one below it; the last one is meant. */
export type FieldPath = readonly [...MessageField[], DescField];

/**
 * Finds the field that a path such as "options.strict" names below a message; names as in the `.proto` or in ProtoJSON.
 * Undefined where there is none, or where the way leads through a list or map.
 */
export function findFieldPath(message: DescMessage, path: string): FieldPath | undefined {
  const leading: MessageField[] = [];
  let at = message;
  const names = path.split(".");
  for (const name of names.slice(0, -1)) {
    const field = findField(at, name);
    if (field?.fieldKind !== "message") return undefined;
    leading.push(field);
    at = field.message;
  }
  const last = findField(at, names.at(-1)!);
  return last === undefined ? undefined : [...leading, last];
}

/** Finds the singular message field of this name, or throws an Error that says what it was wanted for. */
export function requireMessageField(message: DescMessage, name: string, wantedFor: string): MessageField {
  const field = findField(message, name);
  if (field?.fieldKind === "message") return field;
  throw new Error(`${wantedFor}: ${message.typeName} has no message field "${name}"`);
}

/** The first singular field that holds a message of this type. */
export function findFieldOfType(message: DescMessage, type: DescMessage): MessageField | undefined {
  return message.fields.find(
    (field): field is MessageField => field.fieldKind === "message" && field.message.typeName === type.typeName,
  );
}

/** The message that a singular field holds; undefined where it is unset. For fields that are in no oneof. */
export function messageAt(message: Message, field: MessageField): Message | undefined {
  // Not by reflection: this runs for every streamed message.
  return (message as unknown as Readonly<Record<string, Message | undefined>>)[field.localName];
}

/** Sets the message that a singular field holds. For fields that are in no oneof. */
export function setMessageAt(message: Message, field: MessageField, value: Message): void {
  (message as unknown as Record<string, Message>)[field.localName] = value;
}

/** The value at the end of a path; undefined where it, or a message on the way, is unset. For fields with presence that are in no oneof. */
export function getAtPath(message: Message, path: FieldPath): unknown {
  // Not by reflection: this runs for every request.
  let at: unknown = message;
  for (const { localName } of path) {
    if (at === undefined) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[localName];
  }
  return at;
}

/** Sets the field at the end of a path, and makes the messages on the way; to a list, the value is added. */
export function setAtPath(desc: DescMessage, message: Message, path: FieldPath, value: unknown): void {
  const [first] = path;
  if (path.length === 1 && first.fieldKind === "scalar" && first.oneof === undefined) {
    (message as unknown as Record<string, unknown>)[first.localName] = value;
    return;
  }
  let at: ReflectMessage = reflect(desc, message);
  for (const field of path.slice(0, -1) as MessageField[]) {
    const next = at.get(field);
    at.set(field, next);
    at = next;
  }
  const last = path.at(-1)!;
  if (last.fieldKind === "list") {
    const list = at.get(last);
    if (isReflectList(list)) list.add(value);
  } else {
    at.set(last, value);
  }
}

function findField(message: DescMessage, name: string): DescField | undefined {
  return message.fields.find((field) => field.name === name || field.jsonName === name);
}
