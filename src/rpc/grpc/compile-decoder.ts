import { type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { Edition, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { blankOf } from "../../openai-json/blank.ts";
import { BinaryInput } from "./binary-input.ts";

/**
 * Reads a message as `fromBinary` does. Returns undefined for what is left to `fromBinary`: what has a value of a kind that is rare here,
 * a field that is not known, a message in two parts, or what is no message.
 */
export type Decoder = (bytes: Uint8Array) => Message | undefined;

/** The decoder of a type of messages. */
export function compileDecoder(desc: DescMessage): Decoder {
  const read = compileMessage(desc);
  return (bytes) => read(new BinaryInput(bytes), bytes.length);
}

/** Reads a message, or a value, that must not go on beyond `end`; undefined: it is left. */
type Read<Value> = (input: BinaryInput, end: number) => Value | undefined;

/** Sets what follows the tag of a field. Returns false where that is left. */
type SetField = (message: Record<string, unknown>, input: BinaryInput, wireType: number, end: number) => boolean;

/** Messages may hold themselves, and many hold the same ones. */
const compiled = new WeakMap<DescMessage, Read<Message>>();

const VARINT = 0;
const BIT64 = 1;
const LENGTH_DELIMITED = 2;

/** How deep messages may be in one another; the library has a bound of its own for what is deeper. */
const MAX_DEPTH = 32;

function compileMessage(desc: DescMessage): Read<Message> {
  const known = compiled.get(desc);
  if (known !== undefined) return known;
  const blank = blankOf(desc);
  const fields: SetField[] = [];
  const read: Read<Message> = (input, end) => {
    if (++input.depth > MAX_DEPTH) return undefined;
    const message = blank();
    while (input.at < end) {
      const tag = input.varint();
      const set = tag <= 0xff_ff_ff_ff ? fields[tag >>> 3] : undefined;
      if (set === undefined) return undefined;
      if (!set(message as unknown as Record<string, unknown>, input, tag & 7, end)) return undefined;
    }
    input.depth -= 1;
    return input.at === end ? message : undefined;
  };
  compiled.set(desc, read);
  if (desc.file.edition === Edition.EDITION_PROTO3) {
    for (const field of desc.fields) {
      const set = compileField(field);
      if (set !== undefined) fields[field.number] = set;
    }
  }
  return read;
}

/** Undefined for a kind of field that is left. */
function compileField(field: DescField): SetField | undefined {
  if (field.fieldKind === "map") return undefined;
  if (field.message !== undefined) return compileMessageField(field, field.message);
  // Enums go over the wire as numbers.
  const scalar = field.scalar ?? ScalarType.INT32;
  const read = compileScalar(scalar);
  return read && compileValueField(field, wireTypeOf(scalar), read);
}

function compileMessageField(field: DescField, desc: DescMessage): SetField | undefined {
  // They are not the messages that they look like.
  if (desc.typeName === "google.protobuf.Struct" || isWrapperDesc(desc)) return undefined;
  const { localName, oneof } = field;
  const readMessage = compileMessage(desc);
  const read: Read<Message> = (input, end) => {
    const length = input.varint();
    return input.at + length <= end ? readMessage(input, input.at + length) : undefined;
  };
  const set = compileValueField(field, LENGTH_DELIMITED, read);
  if (field.fieldKind === "list") return set;
  return (message, input, wireType, end) => {
    // The parts of a message that comes twice would have to be merged.
    const isThere =
      oneof === undefined
        ? message[localName] !== undefined
        : (message[oneof.localName] as { readonly case?: string }).case === localName;
    return !isThere && set(message, input, wireType, end);
  };
}

function compileValueField(field: DescField, ownType: number, read: Read<unknown>): SetField {
  const { localName, oneof } = field;
  if (field.fieldKind === "list") {
    return (message, input, wireType, end) => {
      const items = message[localName] as unknown[];
      if (wireType === LENGTH_DELIMITED && ownType !== LENGTH_DELIMITED) return readPacked(items, input, end, read);
      const item = wireType === ownType ? read(input, end) : undefined;
      if (item === undefined) return false;
      items.push(item);
      return true;
    };
  }
  return (message, input, wireType, end) => {
    const value = wireType === ownType ? read(input, end) : undefined;
    if (value === undefined) return false;
    if (oneof === undefined) message[localName] = value;
    else message[oneof.localName] = { case: localName, value };
    return true;
  };
}

/** Numbers stand one behind the other, and have their length before them. */
function readPacked(items: unknown[], input: BinaryInput, end: number, read: Read<unknown>): boolean {
  const length = input.varint();
  const last = input.at + length;
  if (!(last <= end)) return false;
  while (input.at < last) {
    const item = read(input, last);
    if (item === undefined) return false;
    items.push(item);
  }
  return input.at === last;
}

function compileScalar(scalar: ScalarType): Read<unknown> | undefined {
  switch (scalar) {
    case ScalarType.STRING:
      return (input, end) => {
        const length = input.varint();
        if (!(input.at + length <= end)) return undefined;
        const text = input.text(length);
        // It stands for what is not UTF-8, which is an error.
        return text.includes("\ufffd") ? undefined : text;
      };
    case ScalarType.BYTES:
      return (input, end) => {
        const length = input.varint();
        return input.at + length <= end ? input.bytes(length) : undefined;
      };
    case ScalarType.BOOL:
      return (input) => {
        const value = input.varint();
        return value <= 1 ? value === 1 : undefined;
      };
    case ScalarType.DOUBLE:
      return (input, end) => (input.at + 8 <= end ? input.double() : undefined);
    case ScalarType.INT32:
      return (input) => {
        const value = input.varint();
        return value <= 0x7f_ff_ff_ff ? value : undefined;
      };
    case ScalarType.UINT32:
      return (input) => {
        const value = input.varint();
        return value <= 0xff_ff_ff_ff ? value : undefined;
      };
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return (input) => {
        const value = input.varint();
        return Number.isNaN(value) ? undefined : BigInt(value);
      };
    default:
      return undefined;
  }
}

function wireTypeOf(scalar: ScalarType): number {
  if (scalar === ScalarType.STRING || scalar === ScalarType.BYTES) return LENGTH_DELIMITED;
  return scalar === ScalarType.DOUBLE ? BIT64 : VARINT;
}
