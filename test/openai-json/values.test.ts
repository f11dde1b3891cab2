import type { DescMessage } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { VALUES } from "../../src/gen/parley/chat/v1/values.ts";
import { RunSchema } from "../../src/gen/parley/runs/v1/runs_service_pb.ts";
import { blankOf } from "../../src/openai-json/blank.ts";
import { listerOf, valuesOf } from "../../src/openai-json/values.ts";

/** All messages of the chat that a request or a response is made of. */
function collect(desc: DescMessage, found = new Map<string, DescMessage>()): Map<string, DescMessage> {
  if (found.has(desc.typeName) || desc.file.proto.package !== "parley.chat.v1") return found;
  found.set(desc.typeName, desc);
  for (const { message } of desc.fields) if (message !== undefined) collect(message, found);
  return found;
}

const CHAT = [...new Map(ChatService.methods.flatMap(({ input, output }) => [...collect(input), ...collect(output)]))];

describe("valuesOf()", () => {
  it("has a generated function for each message of the chat", () => {
    expect(CHAT.length).toBeGreaterThan(50);
    expect(CHAT.filter(([name, desc]) => valuesOf(desc) !== VALUES.get(name))).toEqual([]);
  });

  it.each(CHAT)("lists the values of each member at its place: %s", (_name, desc) => {
    const message = blankOf(desc)();
    const properties = message as unknown as Record<string, unknown>;
    const places = desc.members.map(({ localName }) => {
      properties[localName] = `at ${localName}`;
      return `at ${localName}`;
    });
    expect(valuesOf(desc)(message)).toEqual(places);
    expect(listerOf(desc)(message)).toEqual(places);
  });

  it("lists those of any other message by its descriptor", () => {
    const run = { ...blankOf(RunSchema)(), uid: "run_1" };
    const at = RunSchema.members.findIndex(({ localName }) => localName === "uid");
    expect([valuesOf(RunSchema)(run)[at], valuesOf(RunSchema)(run).length]).toEqual([
      "run_1",
      RunSchema.members.length,
    ]);
  });
});
