import {
  type DescField,
  type DescMessage,
  type DescOneof,
  getOption,
  hasOption,
  type Message,
} from "@bufbuild/protobuf";
import { Edition } from "@bufbuild/protobuf/wkt";
import {
  field as fieldOption,
  type MessageOneofRule,
  message as messageOption,
  oneof as oneofOption,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { Visit, Visitor } from "../gen/parley/chat/v1/visits.ts";
import { visitedFields, visitorOf } from "../openai-json/visit-fields.ts";
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
    const count: Count = { needed: plan.needed };
    // Over what is there: to look for each member that may be there takes longer, as most are not.
    if (!plan.visit(message as never, plan.visits, count) || count.needed > 0) return false;
    for (const check of plan.between) if (!check(message)) return false;
    return true;
  };
}

/** How many fields and unions are not there that have to be. */
interface Count {
  needed: number;
}

/** What is looked at of a message. */
interface MessagePlan {
  /** Whether there are no rules but these. */
  readonly isKnown: boolean;
  readonly visit: Visitor;
  readonly visits: readonly Visit<Count>[];
  readonly needed: number;
  /** Rules between members, which are given the message. */
  readonly between: readonly Check[];
}

function planOf(schema: DescMessage): MessagePlan {
  const rules = getOption(schema, messageOption);
  const fields = visitedFields(schema);
  const members = fields.map(checkOfMember);
  const needed = fields.filter(({ oneof }, at) => oneof === undefined && members[at]?.isNeeded);
  return {
    // In messages of other editions, what is not there may have a value all the same.
    isKnown:
      schema.file.edition === Edition.EDITION_PROTO3 &&
      rules.$unknown === undefined &&
      rules.celExpression.length === 0,
    visit: visitorOf(schema),
    visits: members.map(visitOf),
    needed: needed.length + schema.oneofs.filter(isRequired).length,
    between: [
      ...rules.oneof.map((rule) => checkOfFewFields(schema, rule)),
      ...rules.cel.map(({ expression }) => checkOfExpression(schema, expression)),
    ],
  };
}

/** The check of a field, which may be a case of a union; undefined where it need not be looked at. */
function checkOfMember(field: DescField): MemberCheck | undefined {
  const { oneof } = field;
  if (oneof === undefined) return checkOfField(field, nestedCheck);
  const check = checkOfCase(field, nestedCheck);
  const isNeeded = isRequired(oneof);
  return check === undefined && !isNeeded ? undefined : { check: check ?? (() => true), isNeeded };
}

/** Whether one of a union's cases has to be there. */
const isRequired = (oneof: DescOneof): boolean => getOption(oneof, oneofOption).required;

/** Makes of the check of a field what visits it. */
function visitOf(member: MemberCheck | undefined): Visit<Count> {
  if (member === undefined) return () => true;
  const { check, isNeeded } = member;
  if (!isNeeded) return (_count, value) => check(value);
  return (count, value) => {
    count.needed -= 1;
    return check(value);
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
