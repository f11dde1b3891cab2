import {
  create,
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescOneof,
  fromJson,
  getOption,
  type JsonObject,
  type JsonValue,
  type MessageShape,
  ScalarType,
} from "@bufbuild/protobuf";
import { DurationSchema, FeatureSet_FieldPresence, ListValueSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { Absent, json, json_message, json_oneof } from "../../../src/gen/parley/options/v1/options_pb.ts";

/**
 * Messages of a type, in the normal form: the one that reading what was written gives. It has no members that hold JSON text (they
 * become Structs), only well-formed strings, integers up to 2^53-1 and finite numbers, no -0, no zeros of enums but in fields without
 * presence, and in catch-all fields something or nothing, under keys that the message does not know. A field that is written as an
 * empty object when it is unset, is set.
 */
export function arbitraryMessage<Desc extends DescMessage>(desc: Desc): fc.Arbitrary<MessageShape<Desc>> {
  const members = desc.members.map((member): [string, fc.Arbitrary<unknown>] =>
    member.kind === "oneof"
      ? [member.localName, arbitraryUnion(member)]
      : [member.localName, arbitraryField(member, desc)],
  );
  return fc
    .record(Object.fromEntries(members))
    .map((values) => create(desc, values as Parameters<typeof create<Desc>>[1]) as MessageShape<Desc>);
}

const text = fc.string({ unit: "binary", maxLength: 8 });
const key = text.filter((value) => value !== "__proto__");
const jsonValue = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.stringify(value))
  .filter((value) => !value.includes("__proto__"))
  .map((value) => JSON.parse(value) as JsonValue);

function arbitraryField(field: DescField, parent: DescMessage): fc.Arbitrary<unknown> {
  const { catchAll, absent } = getOption(field, json);
  if (catchAll) return optional(arbitraryUnknown(parent));
  switch (field.fieldKind) {
    case "list":
      return fc.array(arbitraryValue(field), { maxLength: 3 });
    case "map":
      return dictionary(key, arbitraryValue(field), 0);
    case "message":
      return absent === Absent.EMPTY ? arbitraryValue(field) : optional(arbitraryValue(field));
    default: {
      const isImplicit = field.presence === FeatureSet_FieldPresence.IMPLICIT;
      if (isImplicit && field.enum !== undefined) return arbitraryNumber(field.enum, true);
      return isImplicit ? arbitraryValue(field) : optional(arbitraryValue(field));
    }
  }
}

function dictionary<Value>(keys: fc.Arbitrary<string>, values: fc.Arbitrary<Value>, minKeys: number) {
  return fc.dictionary(keys, values, { minKeys, maxKeys: 3, noNullPrototype: true });
}

function optional(arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.option(arbitrary, { nil: undefined, freq: 3 });
}

function arbitraryUnion(oneof: DescOneof): fc.Arbitrary<unknown> {
  const members = oneof.fields.filter((field) => !getOption(field, json).jsonText);
  return fc.oneof(
    fc.constant({ case: undefined }),
    ...members.map((field) => arbitraryValue(field).map((value) => ({ case: field.localName, value }))),
  );
}

function arbitraryUnknown({ members, ...desc }: DescMessage): fc.Arbitrary<JsonObject> {
  const known = new Set(Object.keys(getOption(desc as DescMessage, json_message).constants));
  for (const member of members) {
    const fields = member.kind === "oneof" ? member.fields : [member];
    for (const field of fields) known.add(getOption(field, json).name || field.name);
    if (member.kind === "oneof") known.add(getOption(member, json_oneof).discriminator);
  }
  const unknown = key.filter((value) => !known.has(value));
  return dictionary(unknown, jsonValue, 1);
}

function arbitraryValue({ scalar, message, enum: enumeration }: DescField): fc.Arbitrary<unknown> {
  if (enumeration !== undefined) return arbitraryNumber(enumeration, false);
  if (message !== undefined) return arbitraryMessageValue(message);
  switch (scalar) {
    case ScalarType.STRING:
      return text;
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 4 });
    case ScalarType.DOUBLE:
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
    case ScalarType.INT32:
      return fc.integer();
    case ScalarType.INT64:
      return fc.maxSafeInteger().map(BigInt);
    default:
      throw new Error(`there is no arbitrary for scalar ${scalar}`);
  }
}

function arbitraryMessageValue(desc: DescMessage): fc.Arbitrary<unknown> {
  switch (desc.typeName) {
    case "google.protobuf.Struct":
      return dictionary(key, jsonValue, 0);
    case "google.protobuf.Value":
      return jsonValue.map((value) => fromJson(ValueSchema, value));
    case "google.protobuf.ListValue":
      return fc.array(jsonValue, { maxLength: 3 }).map((value) => fromJson(ListValueSchema, value));
    case "google.protobuf.Duration":
      return fc
        .record({ seconds: fc.nat(), nanos: fc.nat(999_999_999), sign: fc.constantFrom(1, -1) })
        .map(({ seconds, nanos, sign }) => ({ seconds: BigInt(sign * seconds), nanos: sign * nanos + 0 }))
        .map((init) => create(DurationSchema, init));
    default:
      return arbitraryMessage(desc);
  }
}

function arbitraryNumber({ values }: DescEnum, withZero: boolean): fc.Arbitrary<number> {
  const numbers = values.map(({ number }) => number);
  return fc.constantFrom(...(withZero ? numbers : numbers.filter((number) => number !== 0)));
}
