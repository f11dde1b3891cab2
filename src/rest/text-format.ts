import { type DescEnum, type DescField, fromJson, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { DurationSchema, FieldMaskSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { enumWords } from "../openai-json/words.ts";

/** How a field, or an element of a list, is written as plain text: in a path, a query parameter or a header. */
export interface TextFormat {
  /** What the text has to be, for a message: "must be …". */
  readonly expected: string;
  /** The value, as `ReflectMessage.set` takes it; undefined where the text is something else. */
  parse(text: string): unknown;
}

/** The messages whose ProtoJSON is a string. */
const MESSAGES_OF_TEXT = [
  { desc: DurationSchema, expected: 'a duration in seconds, such as "1.5s"' },
  { desc: TimestampSchema, expected: 'a time, such as "2026-01-31T12:00:00Z"' },
  { desc: FieldMaskSchema, expected: "names of fields with commas between" },
] as const;

/** How a field is written as text; undefined for maps and messages, which have no such form. */
export function textFormat(field: DescField): TextFormat | undefined {
  if (field.scalar !== undefined && field.fieldKind !== "map") return scalarFormat(field.scalar);
  if (field.enum !== undefined && field.fieldKind !== "map") return enumFormat(field.enum);
  const wellKnown = MESSAGES_OF_TEXT.find(({ desc }) => field.message?.typeName === desc.typeName);
  if (wellKnown === undefined || field.fieldKind === "map") return undefined;
  const { desc, expected } = wellKnown;
  return { expected, parse: (text) => attempt(() => reflect(desc, fromJson(desc, text as JsonValue))) };
}

/**
 * Reads the text of a field, or throws a GatewayError: `where` says what the text is ("query parameter limit"), `param`
 * is the name that the caller knows it by.
 */
export function readText(format: TextFormat, text: string, where: string, param: string): unknown {
  const value = format.parse(text);
  if (value !== undefined) return value;
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  throw new GatewayError(Reason.INVALID_VALUE, `${where} must be ${format.expected}, but is "${shown}"`, { param });
}

function scalarFormat(scalar: ScalarType): TextFormat {
  switch (scalar) {
    case ScalarType.STRING:
      return { expected: "text", parse: (text) => text };
    case ScalarType.BOOL:
      return {
        expected: "true or false",
        parse: (text) => (text === "true" ? true : text === "false" ? false : undefined),
      };
    case ScalarType.BYTES:
      return { expected: "base64", parse: (text) => attempt(() => base64Decode(text)) };
    case ScalarType.DOUBLE:
      return { expected: "a number", parse: parseNumber };
    case ScalarType.FLOAT:
      return { expected: "a number", parse: (text) => inFloatRange(parseNumber(text)) };
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return smallIntegerFormat(-(2 ** 31), 2 ** 31 - 1);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return smallIntegerFormat(0, 2 ** 32 - 1);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return bigIntegerFormat(-(2n ** 63n), 2n ** 63n - 1n);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return bigIntegerFormat(0n, 2n ** 64n - 1n);
    default:
      return scalar satisfies never;
  }
}

function enumFormat(desc: DescEnum): TextFormat {
  const { numberOf } = enumWords(desc);
  return { expected: `one of ${[...numberOf.keys()].join(", ")}`, parse: (text) => numberOf.get(text) };
}

function smallIntegerFormat(least: number, most: number): TextFormat {
  const { expected, parse } = bigIntegerFormat(BigInt(least), BigInt(most));
  return {
    expected,
    parse: (text) => {
      const value = parse(text);
      return value === undefined ? undefined : Number(value);
    },
  };
}

function bigIntegerFormat(least: bigint, most: bigint): TextFormat {
  return {
    expected: `an integer from ${least} to ${most}`,
    parse: (text) => {
      // 20 characters are the longest 64-bit number; more are not worth the conversion.
      if (!/^-?\d{1,20}$/.test(text)) return undefined;
      const value = BigInt(text);
      return value < least || value > most ? undefined : value;
    },
  };
}

function parseNumber(text: string): number | undefined {
  if (!/^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function inFloatRange(value: number | undefined): number | undefined {
  return value === undefined || !Number.isFinite(Math.fround(value)) ? undefined : value;
}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    // Whatever it says, the text is not what was expected; the caller says so in its own words.
    return undefined;
  }
}
