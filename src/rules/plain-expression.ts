import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { type Check, type Fields, UNKNOWN } from "./check.ts";
import { isOptional } from "./plain-field.ts";

/**
 * The check of a rule between the fields of a message, which is an expression in CEL. Known are alternatives of these:
 *
 *     !has(this.a)   has(this.a)   size(this.a) > 0   this.a
 */
export function checkOfExpression(schema: DescMessage, expression: string): Check {
  const terms = expression.split(" || ").map((term) => checkOfTerm(schema, term));
  if (terms.includes(UNKNOWN)) return UNKNOWN;
  return (message) => {
    for (const term of terms) if (term(message)) return true;
    return false;
  };
}

function checkOfTerm(schema: DescMessage, term: string): Check {
  for (const [form, checkOf] of FORMS) {
    const field = schema.fields.find(({ name }) => name === form.exec(term)?.[1]);
    if (field !== undefined) return checkOf(field);
  }
  return UNKNOWN;
}

/** The forms of terms, and what each asks of its field. */
const FORMS: readonly (readonly [RegExp, (field: DescField) => Check])[] = [
  [/^!has\(this\.(\w+)\)$/, (field) => (isOptional(field) ? is(field, (value) => value === undefined) : UNKNOWN)],
  [/^has\(this\.(\w+)\)$/, (field) => (isOptional(field) ? is(field, (value) => value !== undefined) : UNKNOWN)],
  [
    /^size\(this\.(\w+)\) > 0$/,
    (field) => (field.fieldKind === "list" ? is(field, (value) => (value as readonly unknown[]).length > 0) : UNKNOWN),
  ],
  [
    /^this\.(\w+)$/,
    (field) =>
      field.oneof === undefined && field.scalar === ScalarType.BOOL ? is(field, (value) => value === true) : UNKNOWN,
  ],
];

function is({ localName }: DescField, test: Check): Check {
  return (message) => test((message as Fields)[localName]);
}
