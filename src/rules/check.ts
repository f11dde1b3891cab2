import { type DescMessage, isFieldSet, type MessageShape } from "@bufbuild/protobuf";

/** Whether it is plain that a value keeps its rules. False says nothing: somebody else has to judge. */
export type Check = (value: unknown) => boolean;

/** Of rules that nothing here knows. */
export const UNKNOWN: Check = () => false;

/** The check of a field, or of a case of a union. */
export interface MemberCheck {
  /** Looks at its value, where it is set. */
  readonly check: Check;
  /** Whether it has to be set, or some case of the union. */
  readonly isNeeded: boolean;
}

/** A message, by the local names of its fields. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether some rules are no others than those of these names. */
export const hasOnly = <Desc extends DescMessage>(
  schema: Desc,
  rules: MessageShape<Desc>,
  names: readonly string[],
): boolean =>
  rules.$unknown === undefined &&
  schema.fields.every((field) => names.includes(field.name) || !isFieldSet(rules, field));
