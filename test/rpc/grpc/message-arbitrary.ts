import { create, type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";

/** What a field of a kind may hold: all that the wire takes, and often what is at a bound of something. */
const SCALARS: Readonly<Partial<Record<ScalarType, fc.Arbitrary<unknown>>>> = {
  [ScalarType.STRING]: fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.string({ unit: "grapheme", maxLength: 40 }),
    // With halves of characters.
    fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 4 }).map((codes) => String.fromCharCode(...codes)),
    fc.constantFrom(31, 32, 33, 42, 43, 127, 128, 5_461, 5_462, 16_383, 16_384).map((length) => "é".repeat(length)),
    fc.constantFrom(32, 33, 127, 128, 16_383, 16_384).map((length) => "a".repeat(length)),
  ),
  [ScalarType.BOOL]: fc.boolean(),
  [ScalarType.DOUBLE]: fc.oneof(fc.double(), fc.constantFrom(0, -0, Number.NaN)),
  [ScalarType.FLOAT]: fc.float(),
  [ScalarType.INT32]: fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: -1, max: 300 })),
  [ScalarType.UINT32]: fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.nat(300)),
  [ScalarType.INT64]: fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -1n, max: 300n }),
    fc.constantFrom(2n ** 31n - 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n),
  ),
  [ScalarType.UINT64]: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 300n })),
  [ScalarType.BYTES]: fc.uint8Array({ maxLength: 200 }),
};

/** Which values messages have: the common kinds alone, or maps, Structs and fields that are not known, too. */
export type Kinds = "common" | "all";

const JSON_OBJECT = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 2 });

/** Messages of a type. Those in them are left out below `depth`, so that types which hold themselves have an end. */
export function messageArbitrary(desc: DescMessage, kinds: Kinds, depth = 4): fc.Arbitrary<Message> {
  const members = desc.members.flatMap((member): [string, fc.Arbitrary<unknown>][] => {
    if (member.kind === "field") {
      const value = fieldArbitrary(member, kinds, depth);
      return value === undefined ? [] : [[member.localName, value]];
    }
    const cases = member.fields.flatMap((field) => {
      const value = fieldArbitrary(field, kinds, depth);
      return value === undefined ? [] : [fc.record({ case: fc.constant(field.localName), value })];
    });
    return cases.length === 0 ? [] : [[member.localName, fc.oneof(...cases)]];
  });
  const known = fc.record(Object.fromEntries(members), { requiredKeys: [] }).map((init) => create(desc, init));
  if (kinds === "common") return known;
  const $unknown = [{ no: 9_999, wireType: 0, data: Uint8Array.of(1) }];
  const unknown = known.map((message) => Object.assign(message, { $unknown }));
  return fc.oneof({ weight: 50, arbitrary: known }, { weight: 1, arbitrary: unknown });
}

function fieldArbitrary(field: DescField, kinds: Kinds, depth: number): fc.Arbitrary<unknown> | undefined {
  const value = valueArbitrary(field, kinds, depth);
  if (value === undefined) return undefined;
  switch (field.fieldKind) {
    case "list":
      return fc.array(value, { maxLength: 3 });
    case "map":
      return kinds === "common" ? undefined : fc.dictionary(fc.string(), value, { maxKeys: 2 });
    default:
      return value;
  }
}

function valueArbitrary(
  { message, enum: values, scalar, parent }: DescField,
  kinds: Kinds,
  depth: number,
): fc.Arbitrary<unknown> | undefined {
  if (values !== undefined) {
    return fc.oneof(fc.constantFrom(...values.values.map(({ number }) => number)), fc.constantFrom(-1, 9_999));
  }
  if (message === undefined) return SCALARS[scalar as ScalarType];
  if (depth === 0) return undefined;
  const isStruct = message.typeName === "google.protobuf.Struct";
  if (kinds === "common" && (isStruct || isWrapperDesc(message))) return undefined;
  if (isStruct && parent.typeName !== "google.protobuf.Value") return JSON_OBJECT;
  if (isWrapperDesc(message)) return valueArbitrary(message.fields[0] as DescField, kinds, depth);
  return messageArbitrary(message, kinds, depth - 1);
}
