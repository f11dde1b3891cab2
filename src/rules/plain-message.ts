import { type DescMessage, type DescOneof, getOption, hasOption, type Message } from "@bufbuild/protobuf";
import { Edition } from "@bufbuild/protobuf/wkt";
import {
  field as fieldOption,
  type MessageOneofRule,
  message as messageOption,
  oneof as oneofOption,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { type Check, type Fields, UNKNOWN } from "./check.ts";
import { checkOfExpression } from "./plain-expression.ts";
import { checkOfField, checkOfMember, isOptional } from "./plain-field.ts";

/** Whether it is plain that a message keeps the rules of the contract. False says nothing: protovalidate has to judge. */
export const isPlainlyValid = (schema: DescMessage, message: Message): boolean =>
  message.$typeName === schema.typeName && checkOf(schema)(message);

const checks = new WeakMap<DescMessage, Check>();

/** The check of a message. Those of the messages in it are made when there is one of them for the first time. */
function checkOf(schema: DescMessage): Check {
  let check = checks.get(schema);
  if (check === undefined) {
    check = makeCheck(schema);
    checks.set(schema, check);
  }
  return check;
}

function makeCheck(schema: DescMessage): Check {
  const rules = getOption(schema, messageOption);
  // In messages of other editions, what is not there may have a value all the same.
  const isKnown = schema.file.edition === Edition.EDITION_PROTO3 && rules.$unknown === undefined;
  if (!isKnown || rules.celExpression.length > 0) return UNKNOWN;
  const parts = [
    ...schema.fields.filter(({ oneof }) => oneof === undefined).map((field) => checkOfField(field, nestedCheck)),
    ...schema.oneofs.map(checkOfOneof),
    ...rules.oneof.map((rule) => checkOfFewFields(schema, rule)),
    ...rules.cel.map(({ expression }) => checkOfExpression(schema, expression)),
  ].filter((part) => part !== undefined);
  return (message) => {
    for (const part of parts) if (!part(message)) return false;
    return true;
  };
}

/** The check of a message in another one; undefined where neither it nor what is in it has any rules. */
function nestedCheck(schema: DescMessage): Check | undefined {
  if (!hasRules(schema, new Set())) return undefined;
  let check: Check | undefined;
  return (message) => {
    check ??= checkOf(schema);
    return check(message);
  };
}

function hasRules(schema: DescMessage, seen: Set<DescMessage>): boolean {
  if (seen.has(schema)) return false;
  seen.add(schema);
  return (
    hasOption(schema, messageOption) ||
    schema.oneofs.some((oneof) => hasOption(oneof, oneofOption)) ||
    schema.fields.some(
      (field) => hasOption(field, fieldOption) || (field.message !== undefined && hasRules(field.message, seen)),
    )
  );
}

/** A union: one of its cases where one is required, and the rules of the case that is there. */
function checkOfOneof(oneof: DescOneof): Check | undefined {
  const { required } = getOption(oneof, oneofOption);
  const cases = new Map(oneof.fields.map((field) => [field.localName, checkOfMember(field, nestedCheck)]));
  if (!required && [...cases.values()].every((check) => check === undefined)) return undefined;
  const name = oneof.localName;
  return (message) => {
    const union = (message as Fields)[name] as { readonly case: string | undefined; readonly value: unknown };
    if (union.case === undefined) return !required;
    const check = cases.get(union.case);
    return check === undefined ? cases.has(union.case) : check(union.value);
  };
}

/** A rule that at most one of some fields is there, or exactly one. */
function checkOfFewFields(schema: DescMessage, { fields, required }: MessageOneofRule): Check {
  const found = schema.fields.filter(({ name }) => fields.includes(name));
  if (found.length !== fields.length || !found.every(isOptional)) return UNKNOWN;
  const names = found.map(({ localName }) => localName);
  return (message) => {
    let count = 0;
    for (const name of names) if ((message as Fields)[name] !== undefined) count += 1;
    return count === 1 || (count === 0 && !required);
  };
}
