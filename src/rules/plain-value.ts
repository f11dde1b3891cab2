import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { type FieldRules, Ignore } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { type Check, type Fields, UNKNOWN } from "./check.ts";
import { checkOfListSize, checkOfMapSize } from "./plain-count.ts";
import { checkOfDuration } from "./plain-duration.ts";
import { checkOfEnum, checkOfScalar } from "./plain-scalar.ts";

/** Makes the check of a message within another one; undefined where it has no rules. */
export type NestedCheck = (schema: DescMessage) => Check | undefined;

/** Whether a field has no rules but that it is required, when it is looked at, and those of its type. */
export const isKnown = ({ $unknown, cel, celExpression }: FieldRules): boolean =>
  $unknown === undefined && cel.length === 0 && celExpression.length === 0;

/** The check of what stands in a field; undefined where that has no rules. */
export function checkOfValue(field: DescField, rules: FieldRules, nested: NestedCheck): Check | undefined {
  switch (field.fieldKind) {
    case "list":
      return checkOfList(field, rules, nested);
    case "map":
      return checkOfMap(field, rules, nested);
    default:
      return checkOfOne(field, rules, nested);
  }
}

/** What one value is made of: of a field, or of those in a list or a map. */
interface Kind {
  readonly scalar: ScalarType | undefined;
  readonly enum: DescEnum | undefined;
  readonly message: DescMessage | undefined;
}

function checkOfOne(kind: Kind, { type }: FieldRules, nested: NestedCheck): Check | undefined {
  if (kind.scalar !== undefined) return type.case === undefined ? undefined : checkOfScalar(kind.scalar, type);
  if (kind.enum !== undefined) return type.case === undefined ? undefined : checkOfEnum(kind.enum, type);
  if (kind.message === undefined) return UNKNOWN;
  if (type.case === undefined) return nested(kind.message);
  const isDuration = type.case === "duration" && kind.message.typeName === DurationSchema.typeName;
  return isDuration ? checkOfDuration(type.value) : UNKNOWN;
}

/** The check of each value in a list or a map, by the rules for them. */
function checkOfEach(kind: Kind, rules: FieldRules | undefined, nested: NestedCheck): Check | undefined {
  if (rules === undefined) return kind.message && nested(kind.message);
  if (!isKnown(rules) || rules.required || rules.ignore !== Ignore.UNSPECIFIED) return UNKNOWN;
  return checkOfOne(kind, rules, nested);
}

function checkOfList(kind: Kind, { type }: FieldRules, nested: NestedCheck): Check | undefined {
  if (type.case !== undefined && type.case !== "repeated") return UNKNOWN;
  const isUnique = type.value?.unique === true;
  // Equal texts and numbers are the same one; other values may be equal all the same.
  if (isUnique && kind.enum === undefined && kind.scalar !== ScalarType.STRING) return UNKNOWN;
  const count = type.value && checkOfListSize(type.value);
  const item = checkOfEach(kind, type.value?.items, nested);
  if (!isUnique && count === undefined && item === undefined) return undefined;
  return (value) => {
    const list = value as readonly unknown[];
    if (count !== undefined && !count(list.length)) return false;
    if (isUnique && new Set(list).size < list.length) return false;
    if (item === undefined) return true;
    for (let at = 0; at < list.length; at++) if (!item(list[at])) return false;
    return true;
  };
}

function checkOfMap(
  field: Extract<DescField, { readonly fieldKind: "map" }>,
  { type }: FieldRules,
  nested: NestedCheck,
): Check | undefined {
  if (type.case !== undefined && type.case !== "map") return UNKNOWN;
  const { mapKey } = field;
  const key = checkOfEach({ scalar: mapKey, enum: undefined, message: undefined }, type.value?.keys, nested);
  const item = checkOfEach(field, type.value?.values, nested);
  const count = type.value && checkOfMapSize(type.value);
  if (key === undefined && item === undefined && count === undefined) return undefined;
  return (value) => {
    const map = value as Fields;
    const names = Object.keys(map);
    if (count !== undefined && !count(names.length)) return false;
    for (const name of names) {
      if (key !== undefined && !key(name)) return false;
      if (item !== undefined && !item(map[name])) return false;
    }
    return true;
  };
}
