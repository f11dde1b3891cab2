import { type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { Edition, FeatureSet_FieldPresence, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import type { BinaryOutput } from "./binary-output.ts";

/**
 * Writes a message as `toBinary` does, byte for byte, but into an output that is there already. Returns false for a message that is
 * left to `toBinary`: it has a value of a kind that is rare here, a field that is not known, or what may not be written at all.
 * Then there may be some of it in the output.
 */
export type Encoder = (output: BinaryOutput, message: Message) => boolean;

/** Writes a value with all that stands before it. */
type Write = (output: BinaryOutput, value: unknown) => boolean;

/** Writes what a message has of a field. */
type WriteField = (output: BinaryOutput, message: Readonly<Record<string, unknown>>) => boolean;

/** Messages may hold themselves, and many hold the same ones. */
const encoders = new WeakMap<DescMessage, Encoder>();

const VARINT = 0;
const BIT64 = 1;
const LENGTH_DELIMITED = 2;

/** The encoder of a type of messages, which is made once. */
export function compileEncoder(desc: DescMessage): Encoder {
  const known = encoders.get(desc);
  if (known !== undefined) return known;
  const fields: WriteField[] = [];
  const { typeName } = desc;
  const encoder: Encoder = (output, message) => {
    if (message.$typeName !== typeName || message.$unknown !== undefined) return false;
    for (const write of fields)
      if (!write(output, message as unknown as Readonly<Record<string, unknown>>)) return false;
    return true;
  };
  encoders.set(desc, encoder);
  const isKnown = desc.file.edition === Edition.EDITION_PROTO3;
  for (const field of desc.fields.toSorted((a, b) => a.number - b.number)) {
    fields.push(isKnown ? compileField(field) : leave);
  }
  return encoder;
}

const leave = (): boolean => false;

function compileField(field: DescField): WriteField {
  const { localName } = field;
  switch (field.fieldKind) {
    case "map":
      return (_output, message) => Object.keys(message[localName] as object).length === 0;
    case "list":
      return field.packed ? compilePacked(field) : compileList(field);
    default:
      return compileSingular(field);
  }
}

function compileSingular(field: DescField & { fieldKind: "scalar" | "enum" | "message" }): WriteField {
  const { localName, oneof } = field;
  const write = compileElement(field);
  if (oneof !== undefined) {
    return (output, message) => {
      const chosen = message[oneof.localName] as { readonly case?: string; readonly value?: unknown };
      return chosen.case !== localName || write(output, chosen.value);
    };
  }
  if (field.presence !== FeatureSet_FieldPresence.IMPLICIT) {
    return (output, message) => {
      const value = message[localName];
      return value === undefined || write(output, value);
    };
  }
  if (scalarOf(field) === ScalarType.BYTES) {
    return (output, message) => {
      const value = message[localName];
      return (value instanceof Uint8Array && value.length === 0) || write(output, value);
    };
  }
  const zero = zeroOf(field);
  return (output, message) => {
    const value = message[localName];
    // A zero with a sign is a value.
    return Object.is(value, zero) || write(output, value);
  };
}

function compileList(field: DescField & { fieldKind: "list" }): WriteField {
  const { localName } = field;
  const write = compileElement(field);
  return (output, message) => {
    for (const item of message[localName] as readonly unknown[]) if (!write(output, item)) return false;
    return true;
  };
}

/** Numbers stand one behind the other, and have their length before them. */
function compilePacked(field: DescField & { fieldKind: "list" }): WriteField {
  const { localName } = field;
  const write = compileScalar(scalarOf(field));
  const tag = tagOf(field, LENGTH_DELIMITED);
  return (output, message) => {
    const items = message[localName] as readonly unknown[];
    if (items.length === 0) return true;
    output.varint(tag);
    const begun = output.begin();
    for (const item of items) if (!write(output, item)) return false;
    output.end(begun);
    return true;
  };
}

/** Writes one value of a field, behind its tag. */
function compileElement(field: DescField & { fieldKind: "scalar" | "enum" | "message" | "list" }): Write {
  if (field.message !== undefined) return compileMessage(field, field.message);
  const scalar = scalarOf(field);
  const write = compileScalar(scalar);
  const tag = tagOf(field, wireTypeOf(scalar));
  return (output, value) => {
    output.varint(tag);
    return write(output, value);
  };
}

/** Structs and wrappers are not the messages that they look like. */
function compileMessage(field: DescField, desc: DescMessage): Write {
  if (desc.typeName === "google.protobuf.Struct" || isWrapperDesc(desc)) return leave;
  const encode = compileEncoder(desc);
  const tag = tagOf(field, LENGTH_DELIMITED);
  return (output, value) => {
    output.varint(tag);
    const begun = output.begin();
    if (!encode(output, value as Message)) return false;
    output.end(begun);
    return true;
  };
}

function compileScalar(scalar: ScalarType): Write {
  switch (scalar) {
    case ScalarType.STRING:
      return (output, value) => {
        if (typeof value !== "string") return false;
        output.text(value);
        return true;
      };
    case ScalarType.BYTES:
      return (output, value) => {
        if (!(value instanceof Uint8Array)) return false;
        output.bytes(value);
        return true;
      };
    case ScalarType.BOOL:
      return (output, value) => {
        output.varint(value ? 1 : 0);
        return true;
      };
    case ScalarType.DOUBLE:
      return (output, value) => {
        if (typeof value !== "number") return false;
        output.double(value);
        return true;
      };
    case ScalarType.INT32:
      return (output, value) => {
        if (typeof value !== "number" || (value | 0) !== value) return false;
        if (value < 0) output.varint64(BigInt(value));
        else output.varint(value);
        return true;
      };
    case ScalarType.UINT32:
      return (output, value) => {
        if (typeof value !== "number" || value >>> 0 !== value) return false;
        output.varint(value);
        return true;
      };
    case ScalarType.INT64:
      return (output, value) => {
        if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value) return false;
        output.varint64(value);
        return true;
      };
    case ScalarType.UINT64:
      return (output, value) => {
        if (typeof value !== "bigint" || BigInt.asUintN(64, value) !== value) return false;
        output.varint64(value);
        return true;
      };
    default:
      return leave;
  }
}

/** Enums go over the wire as numbers. */
const scalarOf = (field: DescField): ScalarType => field.scalar ?? ScalarType.INT32;

function zeroOf(field: DescField): unknown {
  if (field.enum !== undefined) return field.enum.values[0]?.number;
  switch (field.scalar) {
    case ScalarType.STRING:
      return "";
    case ScalarType.BOOL:
      return false;
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return 0n;
    default:
      return 0;
  }
}

function wireTypeOf(scalar: ScalarType): number {
  if (scalar === ScalarType.STRING || scalar === ScalarType.BYTES) return LENGTH_DELIMITED;
  return scalar === ScalarType.DOUBLE ? BIT64 : VARINT;
}

const tagOf = ({ number }: DescField, wireType: number): number => ((number << 3) | wireType) >>> 0;
