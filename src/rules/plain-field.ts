import { type DescField, getOption } from "@bufbuild/protobuf";
import { scalarEquals, scalarZeroValue } from "@bufbuild/protobuf/reflect";
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import { type FieldRules, field as fieldOption, Ignore } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { type Check, type MemberCheck, UNKNOWN } from "./check.ts";
import { checkOfValue, isKnown, type NestedCheck } from "./plain-value.ts";

/** Whether it is told by undefined that a field is not there. */
export const isOptional = ({ oneof, presence }: DescField): boolean =>
  oneof === undefined && presence === Presence.EXPLICIT;

/** The check of a field; undefined where it has no rules. */
export function checkOfField(field: DescField, nested: NestedCheck): MemberCheck | undefined {
  const rules = getOption(field, fieldOption);
  if (rules.ignore === Ignore.ALWAYS) return undefined;
  const ofValue = isKnown(rules) ? checkOfValue(field, rules, nested) : UNKNOWN;
  if (ofValue === undefined && !rules.required) return undefined;
  const check = checkOfPresence(field, rules, ofValue);
  return { check, isNeeded: isOptional(field) ? rules.required : !check(zeroOf(field)) };
}

/** The check of a union's case, when it is the one that is there; undefined where it has no rules. */
export function checkOfCase(field: DescField, nested: NestedCheck): Check | undefined {
  const rules = getOption(field, fieldOption);
  if (rules.ignore === Ignore.ALWAYS) return undefined;
  return isKnown(rules) && !rules.required ? checkOfValue(field, rules, nested) : UNKNOWN;
}

/** Looks at a value, which may be the one of a field that is not there: that keeps all rules but that it has to be. */
function checkOfPresence(field: DescField, { required, ignore }: FieldRules, check: Check = () => true): Check {
  if (isOptional(field) || !(required || ignore === Ignore.IF_ZERO_VALUE)) return check;
  const isZero = isZeroOf(field);
  return (value) => (isZero(value) ? !required : check(value));
}

/** What a field has that is not set. */
function zeroOf(field: DescField): unknown {
  switch (field.fieldKind) {
    case "list":
      return [];
    case "map":
      return {};
    case "enum":
      return field.enum.values[0]?.number;
    case "scalar":
      return scalarZeroValue(field.scalar, field.longAsString);
    case "message":
      return undefined;
    default:
      return field satisfies never;
  }
}

/** Whether a value is what a field has that is not set. */
function isZeroOf(field: DescField): Check {
  switch (field.fieldKind) {
    case "list":
      return (value) => (value as readonly unknown[]).length === 0;
    case "map":
      return (value) => Object.keys(value as object).length === 0;
    case "scalar": {
      const { scalar } = field;
      const zero = scalarZeroValue(scalar, field.longAsString);
      return (value) => scalarEquals(scalar, value as typeof zero, zero);
    }
    default: {
      const zero = zeroOf(field);
      return (value) => value === zero;
    }
  }
}
