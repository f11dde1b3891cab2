import { type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { Edition, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import type { Visit } from "../../gen/parley/chat/v1/visits.ts";
import { visitedFields, visitorOf } from "../../openai-json/visit-fields.ts";
import type { BinaryOutput } from "./binary-output.ts";

/**
 * Writes a message as `toBinary` does, byte for byte, but into an output that is there already. Returns false for a message that is
 * left to `toBinary`: it has a value of a kind that is rare here, a field that is not known, or what may not be written at all.
 * Then there may be some of it in the output.
 */
export type Encoder = (output: BinaryOutput, message: Message) => boolean;

/** Writes what is set of a field, with all that stands before it. */
type Write = Visit<BinaryOutput>;

/** Messages may hold themselves, and many hold the same ones. */
const encoders = new WeakMap<DescMessage, Encoder>();

const VARINT = 0;
const BIT64 = 1;
const LENGTH_DELIMITED = 2;

/** The encoder of a type of messages, which is made once. */
export function compileEncoder(desc: DescMessage): Encoder {
  const known = encoders.get(desc);
  if (known !== undefined) return known;
  const writes: Write[] = [];
  const visit = visitorOf(desc);
  const { typeName } = desc;
  const isKnown = desc.file.edition === Edition.EDITION_PROTO3;
  const encoder: Encoder = (output, message) => {
    if (!isKnown || message.$typeName !== typeName || message.$unknown !== undefined) return false;
    return visit(message as never, writes, output);
  };
  encoders.set(desc, encoder);
  if (isKnown) writes.push(...visitedFields(desc).map(compileField));
  return encoder;
}

const leave = (): boolean => false;

function compileField(field: DescField): Write {
  if (field.fieldKind === "map") return leave;
  if (field.fieldKind !== "list") return compileElement(field);
  return field.packed ? compilePacked(field) : compileList(field);
}

function compileList(field: DescField & { fieldKind: "list" }): Write {
  const write = compileElement(field);
  return (output, items) => {
    for (const item of items as readonly unknown[]) if (!write(output, item)) return false;
    return true;
  };
}

/** Numbers stand one behind the other, and have their length before them. */
function compilePacked(field: DescField & { fieldKind: "list" }): Write {
  const write = compileScalar(scalarOf(field));
  const tag = tagOf(field, LENGTH_DELIMITED);
  return (output, items) => {
    output.varint(tag);
    const begun = output.begin();
    for (const item of items as readonly unknown[]) if (!write(output, item)) return false;
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

function wireTypeOf(scalar: ScalarType): number {
  if (scalar === ScalarType.STRING || scalar === ScalarType.BYTES) return LENGTH_DELIMITED;
  return scalar === ScalarType.DOUBLE ? BIT64 : VARINT;
}

const tagOf = ({ number }: DescField, wireType: number): number => ((number << 3) | wireType) >>> 0;
