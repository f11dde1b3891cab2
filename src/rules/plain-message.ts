import { type DescMessage, type DescOneof, getOption, hasOption, type Message } from "@bufbuild/protobuf";
import { Edition } from "@bufbuild/protobuf/wkt";
import {
  field as fieldOption,
  type MessageOneofRule,
  message as messageOption,
  oneof as oneofOption,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { type ListValues, valuesOf } from "../openai-json/values.ts";
import { type Check, type Fields, type MemberCheck, UNKNOWN } from "./check.ts";
import { checkOfExpression } from "./plain-expression.ts";
import { checkOfCase, checkOfField, isOptional } from "./plain-field.ts";

/** Whether it is plain that a message keeps the rules of the contract. False says nothing: protovalidate has to judge. */
export const isPlainlyValid = (schema: DescMessage, message: Message): boolean =>
  message.$typeName === schema.typeName && checkOf(schema)(message);

const checks = new WeakMap<DescMessage, Check>();

/** The check of a message. What it takes is read off its rules when there is such a message for the first time. */
function checkOf(schema: DescMessage): Check {
  let check = checks.get(schema);
  if (check === undefined) {
    check = makeCheck(schema);
    checks.set(schema, check);
  }
  return check;
}

function makeCheck(schema: DescMessage): Check {
  let plan: MessagePlan | undefined;
  return (message) => {
    plan ??= planOf(schema);
    if (!plan.isKnown) return false;
    let needed = plan.needed;
    const values = plan.valuesOf(message as Message);
    for (let at = 0; at < values.length; at++) {
      const member = plan.members[at];
      const value = values[at];
      if (member === undefined || value === undefined || isEmptyList(value)) continue;
      if (!member.check(value)) return false;
      if (member.isNeeded) needed -= 1;
    }
    if (needed > 0) return false;
    for (const check of plan.between) if (!check(message)) return false;
    return true;
  };
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** What is looked at of a message. */
interface MessagePlan {
  /** Whether there are no rules but these. */
  readonly isKnown: boolean;
  readonly valuesOf: ListValues;
  /** Of each of those values; undefined where nothing is to be looked at. */
  readonly members: readonly (MemberCheck | undefined)[];
  /** How many of them have to be there. */
  readonly needed: number;
  /** Rules between members, which are given the message. */
  readonly between: readonly Check[];
}

function planOf(schema: DescMessage): MessagePlan {
  const rules = getOption(schema, messageOption);
  const found = [
    ...schema.fields.filter(({ oneof }) => oneof === undefined).map((field) => checkOfField(field, nestedCheck)),
    ...schema.oneofs.map(checkOfUnion),
  ];
  const members = found.filter((member) => member !== undefined);
  return {
    // In messages of other editions, what is not there may have a value all the same.
    isKnown:
      schema.file.edition === Edition.EDITION_PROTO3 &&
      rules.$unknown === undefined &&
      rules.celExpression.length === 0,
    valuesOf: valuesOf(schema),
    members: schema.members.map(({ localName }) => members.find(({ name }) => name === localName)),
    needed: members.filter(({ isNeeded }) => isNeeded).length,
    between: [
      ...rules.oneof.map((rule) => checkOfFewFields(schema, rule)),
      ...rules.cel.map(({ expression }) => checkOfExpression(schema, expression)),
    ],
  };
}

/** The check of a message in another one; undefined where neither it nor what is in it has any rules. */
const nestedCheck = (schema: DescMessage): Check | undefined =>
  hasRules(schema, new Set()) ? checkOf(schema) : undefined;

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
  return { name: oneof.localName, check, isNeeded: true };
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
