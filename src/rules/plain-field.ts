import { type DescField, getOption } from "@bufbuild/protobuf";
import { scalarEquals, scalarZeroValue } from "@bufbuild/protobuf/reflect";
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import { type FieldRules, field as fieldOption, Ignore } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { type Check, type Fields, UNKNOWN } from "./check.ts";
import { checkOfValue, isKnown, type NestedCheck } from "./plain-value.ts";

/** Whether it is told by undefined that a field is not there. */
export const isOptional = ({ oneof, presence }: DescField): boolean =>
  oneof === undefined && presence === Presence.EXPLICIT;

/** The check of a field, given the message; undefined where it has no rules. */
export function checkOfField(field: DescField, nested: NestedCheck): Check | undefined {
  const rules = getOption(field, fieldOption);
  if (rules.ignore === Ignore.ALWAYS) return undefined;
  const check = isKnown(rules) ? checkOfValue(field, rules, nested) : UNKNOWN;
  if (check === undefined && !rules.required) return undefined;
  return at(field, rules, check);
}

/** The check of the value of a union's member, when it is the one that is there; undefined where it has no rules. */
export function checkOfMember(field: DescField, nested: NestedCheck): Check | undefined {
  const rules = getOption(field, fieldOption);
  if (rules.ignore === Ignore.ALWAYS) return undefined;
  return isKnown(rules) && !rules.required ? checkOfValue(field, rules, nested) : UNKNOWN;
}

/** Looks at a field of a message: what is not there keeps all rules but that it has to be. */
function at(field: DescField, { required, ignore }: FieldRules, check: Check | undefined): Check {
  const name = field.localName;
  if (isOptional(field)) {
    return (message) => {
      const value = (message as Fields)[name];
      return value === undefined ? !required : check === undefined || check(value);
    };
  }
  const isZero = zeroOf(field);
  const isIgnored = ignore === Ignore.IF_ZERO_VALUE;
  return (message) => {
    const value = (message as Fields)[name];
    if ((required || isIgnored) && isZero(value)) return !required;
    return check === undefined || check(value);
  };
}

/** Whether a value is what a field has that is not there. */
function zeroOf(field: DescField): Check {
  switch (field.fieldKind) {
    case "list":
      return (value) => (value as readonly unknown[]).length === 0;
    case "map":
      return (value) => Object.keys(value as object).length === 0;
    case "enum":
      return (value) => value === field.enum.values[0]?.number;
    case "scalar": {
      const { scalar } = field;
      const zero = scalarZeroValue(scalar, field.longAsString);
      return (value) => scalarEquals(scalar, value as typeof zero, zero);
    }
    case "message":
      return (value) => value === undefined;
    default:
      return field satisfies never;
  }
}
