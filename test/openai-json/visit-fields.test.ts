import { type DescMessage, isFieldSet, type Message } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { VISITORS, type Visitor } from "../../src/gen/parley/chat/v1/visits.ts";
import { createVisitor, visitedFields, visitorOf } from "../../src/openai-json/visit-fields.ts";
import { messageArbitrary } from "../rpc/grpc/message-arbitrary.ts";

/** All messages that the service's requests and responses are made of. */
function collect(desc: DescMessage, found = new Map<string, DescMessage>()): Map<string, DescMessage> {
  if (found.has(desc.typeName)) return found;
  found.set(desc.typeName, desc);
  for (const { message } of desc.fields) if (message !== undefined) collect(message, found);
  return found;
}

const ALL = [...new Map(ChatService.methods.flatMap(({ input, output }) => [...collect(input), ...collect(output)]))];
const CHAT = ALL.filter(([, { file }]) => file.proto.package === "parley.chat.v1");

/** Numbers and values of the fields that are visited, up to the first where the visit is to end. */
function visited(visit: Visitor, desc: DescMessage, message: Message, last = Number.POSITIVE_INFINITY): unknown[] {
  const seen: unknown[] = [];
  const visits = visitedFields(desc).map(({ number }) => (to: unknown[], value: unknown) => {
    to.push([number, value]);
    return number < last;
  });
  const isWhole = visit(message as never, visits, seen);
  return [...seen, isWhole];
}

/** The same by reflection. */
function reflected(desc: DescMessage, message: Message): unknown[] {
  const fields = visitedFields(desc).filter((field) => isFieldSet(message, field));
  return [...fields.map(({ number }) => number), true];
}

describe("visitorOf()", () => {
  it("has generated ones for all messages of the chat", () => {
    expect(CHAT.length).toBeGreaterThan(50);
    expect(CHAT.filter(([name, desc]) => visitorOf(desc) !== VISITORS.get(name))).toEqual([]);
  });

  it.each(ALL)("visits what is set, in the order of numbers: %s", (_name, desc) => {
    const visit = visitorOf(desc);
    fc.assert(
      fc.property(messageArbitrary(desc, "all", 2), (message) => {
        const seen = visited(visit, desc, message);
        expect(seen.map((it) => (Array.isArray(it) ? it[0] : it))).toEqual(reflected(desc, message));
        expect(seen).toEqual(visited(createVisitor(desc), desc, message));
      }),
      { numRuns: 50 },
    );
  });

  it.each(CHAT)("ends where a visit says so: %s", (_name, desc) => {
    fc.assert(
      fc.property(messageArbitrary(desc, "all", 1), fc.nat(20), (message, last) => {
        expect(visited(visitorOf(desc), desc, message, last)).toEqual(
          visited(createVisitor(desc), desc, message, last),
        );
      }),
      { numRuns: 20 },
    );
  });
});
