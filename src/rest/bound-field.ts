import { type DescField, type DescMessage, getOption, hasOption } from "@bufbuild/protobuf";
import { header } from "../gen/parley/options/v1/options_pb.ts";
import { type FieldPath, findFieldPath, type MessageField } from "./field-path.ts";
import { type TextFormat, textFormat } from "./text-format.ts";

/** A field of a request that text fills. */
export interface BoundField {
  /** What binds it: the name of a path variable, query parameter or header. */
  readonly name: string;
  readonly path: FieldPath;
  readonly format: TextFormat;
}

/** Finds the field that a path such as "options.strict" names, if it can be filled from text. */
export function bindField(input: DescMessage, name: string): BoundField | undefined {
  const path = findFieldPath(input, name);
  const format = path && textFormat(path.at(-1)!);
  return path && format && { name, path, format };
}

/** Finds the field of a path variable; throws an Error when there is none, or when it is a list. */
export function bindVariable(input: DescMessage, name: string): BoundField {
  const bound = bindField(input, name);
  if (bound !== undefined && bound.path.at(-1)!.fieldKind !== "list") return bound;
  throw new Error(`path variable "${name}": ${input.typeName} has no such field that one piece of text could fill`);
}

/** Reads a header into the values of its field: a list has several, with commas between. */
export const valuesOfHeader = ({ path }: BoundField, text: string): string[] =>
  path.at(-1)!.fieldKind === "list"
    ? text
        .split(",")
        .map((value) => value.trim())
        .filter((value) => value !== "")
    : [text.trim()];

/**
 * Finds the fields of a request, on all levels that no list lies before, that the option `header` binds to a header.
 * Throws an Error where text cannot fill one, and where two have the same header.
 */
export function bindHeaders(input: DescMessage): BoundField[] {
  const bound = [...findHeaderFields(input, [], new Set())];
  const twice = bound.find(({ name }, index) => bound.findIndex((other) => other.name === name) !== index);
  if (twice !== undefined) throw new Error(`header ${twice.name} is bound twice in ${input.typeName}`);
  return bound;
}

function* findHeaderFields(
  message: DescMessage,
  leading: readonly MessageField[],
  above: ReadonlySet<string>,
): Generator<BoundField> {
  if (above.has(message.typeName)) return;
  const seen = new Set([...above, message.typeName]);
  for (const field of message.fields) {
    if (hasOption(field, header)) yield bindHeader(field, leading);
    else if (field.fieldKind === "message") yield* findHeaderFields(field.message, [...leading, field], seen);
  }
}

function bindHeader(field: DescField, leading: readonly MessageField[]): BoundField {
  const name = getOption(field, header);
  const format = textFormat(field);
  if (format === undefined) throw new Error(`header ${name}: text cannot fill ${field}`);
  return { name, path: [...leading, field], format };
}
