import { type DescField, type DescMessage, isFieldSet, type Message } from "@bufbuild/protobuf";
import { VISITORS, type Visit, type Visitor } from "../gen/parley/chat/v1/visits.ts";

/** The fields of a message in the order in which they are visited: that of their numbers. */
export const visitedFields = (desc: DescMessage): readonly DescField[] =>
  desc.fields.toSorted((a, b) => a.number - b.number);

/** What visits the fields of a message that are set. That of a message of the chat is generated: it is several times as fast. */
export const visitorOf = (desc: DescMessage): Visitor => VISITORS.get(desc.typeName) ?? createVisitor(desc);

/** Makes such a visitor of the descriptor. */
export function createVisitor(desc: DescMessage): Visitor {
  const fields = visitedFields(desc);
  return <Context>(message: never, visits: readonly Visit<Context>[], context: Context) =>
    fields.every((field, at) => !isFieldSet(message, field) || visits[at]?.(context, readField(message, field)));
}

function readField(message: Message, { localName, oneof }: DescField): unknown {
  const properties = message as unknown as Readonly<Record<string, unknown>>;
  return oneof === undefined
    ? properties[localName]
    : (properties[oneof.localName] as { readonly value?: unknown }).value;
}
