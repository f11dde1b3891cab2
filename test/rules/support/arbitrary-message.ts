import { create, type DescField, type DescMessage, hasOption, type Message, ScalarType } from "@bufbuild/protobuf";
import { field as fieldOption } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import fc from "fast-check";

type Values = fc.Arbitrary<unknown>;

/** Mostly the usual, and sometimes what is at the bounds that rules have, or beyond. */
const mostly = (usual: Values, ...others: Values[]): Values =>
  fc.oneof({ weight: 20, arbitrary: usual }, ...others.map((arbitrary) => ({ weight: 2, arbitrary })));

const LENGTHS = [63, 64, 65, 128, 129, 200, 201, 255, 256, 512, 513, 1_024, 1_025];
const TEXTS = [
  "",
  "a b",
  "é",
  "😀",
  "5",
  "\ud800",
  "a\n",
  "http://a.example:8080/v1",
  "https://a b",
  "2024-01-31",
  "whsec_",
  "a".repeat(64),
];
const TEXT = mostly(
  fc.constant("abc_1-2"),
  fc.constantFrom(...TEXTS),
  fc.constantFrom(...LENGTHS).chain((length) => fc.constantFrom("a".repeat(length), "😀".repeat(length))),
  fc.string({ maxLength: 5 }),
);
const NUMBERS = [-101, -100, -3, -2, -1, 0, 1, 2, 3, 4, 19, 20, 21, 99, 100, 128, 129, 1_000, 1_001, 86_400, 86_401];
const INTEGER = mostly(fc.constant(1), fc.constantFrom(...NUMBERS)) as fc.Arbitrary<number>;
const REAL = mostly(
  fc.constantFrom(0.5, 1),
  fc.constantFrom(...NUMBERS, -2.1, 1.1, -0, Number.NaN, Number.POSITIVE_INFINITY),
);

function scalar(type: ScalarType): Values {
  switch (type) {
    case ScalarType.STRING:
      return TEXT;
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 3 });
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return REAL;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return INTEGER.map(BigInt);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return INTEGER.map((it) => BigInt(Math.abs(it)));
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return INTEGER.map(Math.abs);
    default:
      return INTEGER;
  }
}

/** One value of a field; where that is a message, it is made when it is drawn: there are many. */
function drawOne(desc: Pick<DescField, "scalar" | "enum" | "message">, depth: number): Values {
  if (desc.scalar !== undefined) return scalar(desc.scalar);
  if (desc.enum !== undefined) {
    const [zero, ...others] = desc.enum.values.map(({ number }) => number);
    return mostly(fc.constantFrom(...others), fc.constantFrom(zero, -1, 99));
  }
  const message = desc.message as DescMessage;
  if (message.typeName === "google.protobuf.Struct") return fc.constant({ a: [{ b: null }] });
  return fc.constant(undefined).chain(() => arbitraryMessage(message, depth - 1));
}

function contentOf(desc: DescField, depth: number): Values {
  switch (desc.fieldKind) {
    case "list": {
      const one = drawOne(desc, depth);
      const many = fc
        .constantFrom(4, 5, 16, 17, 128, 129)
        .chain((n) => one.map((it) => new Array<unknown>(n).fill(it)));
      return mostly(fc.array(one, { minLength: 1, maxLength: 2 }), fc.constant([]), ...(depth > 2 ? [] : [many]));
    }
    case "map":
      return fc.dictionary(TEXT as fc.Arbitrary<string>, drawOne(desc, depth), { maxKeys: 2 });
    default:
      return drawOne(desc, depth);
  }
}

const unions = ({ oneofs }: DescMessage, depth: number): Record<string, Values> =>
  Object.fromEntries(
    oneofs.map(({ localName, fields }) => {
      const cases = fields
        .filter(({ message }) => depth > 0 || message === undefined)
        .map((desc) => contentOf(desc, depth).map((value) => ({ case: desc.localName, value })));
      const none = fc.constant({ case: undefined });
      return [localName, cases.length === 0 ? none : mostly(fc.oneof(...cases), none)];
    }),
  );

/** Messages of a type: those fields that have rules of their own are mostly there, the others seldom. */
export function arbitraryMessage(schema: DescMessage, depth = 4): fc.Arbitrary<Message> {
  const fields = schema.fields
    .filter(({ oneof, message }) => oneof === undefined && (depth > 0 || message === undefined))
    .map((desc) => {
      const absent = desc.presence === 2 && hasOption(desc, fieldOption) ? 1 : schema.fields.length;
      const present = { weight: 4, arbitrary: contentOf(desc, depth) };
      return [desc.localName, fc.oneof(present, { weight: absent, arbitrary: fc.constant(undefined) })] as const;
    });
  const content = fc.record({ ...Object.fromEntries(fields), ...unions(schema, depth) });
  return content.map((it) => create(schema, it));
}
