import { type DescMessage, type DescOneof, getOption, hasOption, type Message } from "@bufbuild/protobuf";
import { Edition } from "@bufbuild/protobuf/wkt";
import {
  field as fieldOption,
  type MessageOneofRule,
  message as messageOption,
  oneof as oneofOption,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { type Check, type Fields, type MemberCheck, UNKNOWN } from "./check.ts";
import { checkOfExpression } from "./plain-expression.ts";
import { checkOfCase, checkOfField, isOptional } from "./plain-field.ts";

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
  const members = [
    ...schema.fields.filter(({ oneof }) => oneof === undefined).map((field) => checkOfField(field, nestedCheck)),
    ...schema.oneofs.map(checkOfUnion),
  ].filter((member) => member !== undefined);
  const between = [
    ...rules.oneof.map((rule) => checkOfFewFields(schema, rule)),
    ...rules.cel.map(({ expression }) => checkOfExpression(schema, expression)),
  ];
  return (message) => {
    for (const member of members) if (!fits(member, (message as Fields)[member.name])) return false;
    for (const check of between) if (!check(message)) return false;
    return true;
  };
}

/** Most members of a message are not there, or empty lists: no check is called for these. */
function fits({ check, mayBeAbsent, mayBeEmpty }: MemberCheck, value: unknown): boolean {
  if (value === undefined) return mayBeAbsent;
  return (mayBeEmpty && (value as readonly unknown[]).length === 0) || check(value);
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
function checkOfUnion(oneof: DescOneof): MemberCheck | undefined {
  const { required } = getOption(oneof, oneofOption);
  const checks = oneof.fields.map((field) => checkOfCase(field, nestedCheck));
  if (!required && checks.every((check) => check === undefined)) return undefined;
  // A case without rules is there, too, so that it is told from one that does not exist.
  const cases = new Map(oneof.fields.map(({ localName }, at) => [localName, checks[at] ?? null]));
  const check: Check = (value) => {
    const union = value as { readonly case: string | undefined; readonly value: unknown };
    if (union.case === undefined) return !required;
    const found = cases.get(union.case);
    return found === null || found?.(union.value) === true;
  };
  return { name: oneof.localName, check, mayBeAbsent: false, mayBeEmpty: false };
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
