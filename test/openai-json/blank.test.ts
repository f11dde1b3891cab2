import { create, type DescMessage, equals, isFieldSet, toBinary, toJson } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { HealthCheckRequestSchema } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { BLANKS } from "../../src/gen/parley/chat/v1/blanks.ts";
import { ChatService, file_parley_chat_v1_chat_service } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { blankOf } from "../../src/openai-json/blank.ts";

/** All messages that the service's requests and responses are made of. */
function collect(desc: DescMessage, found = new Map<string, DescMessage>()): Map<string, DescMessage> {
  if (found.has(desc.typeName) || desc.typeName.startsWith("google.")) return found;
  found.set(desc.typeName, desc);
  for (const { message } of desc.fields) if (message !== undefined) collect(message, found);
  return found;
}

const found = new Map(ChatService.methods.flatMap(({ input, output }) => [...collect(input), ...collect(output)]));
const chat = [...found.values()].filter(({ file }) => file.proto.package === "parley.chat.v1");

describe("blanks", () => {
  it("are there for all messages of the chat", () => {
    expect(file_parley_chat_v1_chat_service.proto.package).toBe("parley.chat.v1");
    expect(chat.length).toBeGreaterThan(50);
    expect(chat.map(({ typeName }) => typeName).filter((name) => !BLANKS.has(name))).toEqual([]);
  });

  it.each(chat.map((desc) => [desc.typeName, desc] as const))("%s is what create() makes", (_name, desc) => {
    const blank = blankOf(desc)();
    expect(equals(desc, blank, create(desc))).toBe(true);
    expect(toBinary(desc, blank)).toEqual(new Uint8Array(0));
    expect(toJson(desc, blank)).toEqual({});
    expect(desc.fields.filter((field) => isFieldSet(blank, field))).toEqual([]);
    expect(Object.keys(blank)).toEqual(["$typeName", ...desc.members.map(({ localName }) => localName)]);
  });

  it("share nothing with each other", () => {
    for (const desc of chat) {
      const [one, other] = [blankOf(desc)(), blankOf(desc)()] as unknown as Record<string, unknown>[];
      for (const [name, value] of Object.entries(one ?? {}))
        if (typeof value === "object") expect([desc.typeName, name, value === other?.[name]]).toContain(false);
    }
  });

  it("are made by create() for messages of others", () => {
    expect(blankOf(HealthCheckRequestSchema)()).toEqual(create(HealthCheckRequestSchema));
  });
});
