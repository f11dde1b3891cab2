import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { MessageSchema, Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { AnthropicSchema } from "../../src/gen/parley/config/v1/anthropic_pb.ts";
import { OpenAICompatibleSchema } from "../../src/gen/parley/config/v1/openai_compatible_pb.ts";
import { createAnthropic } from "../../src/providers/anthropic/provider.ts";
import { createOpenAICompatible } from "../../src/providers/openai-compatible/provider.ts";
import { WaitingCalls } from "../../src/providers/waiting-calls.ts";

const tool = (toolCallId: string) => create(MessageSchema, { role: Role.TOOL, toolCallId });
const fn = (name: string) => create(MessageSchema, { role: Role.FUNCTION, name });

describe("WaitingCalls", () => {
  it("pairs results with the first call of their id, or of their name, that waits", () => {
    const calls = new WaitingCalls([
      { id: "a", name: "f" },
      { id: "b", name: "f" },
      { id: "a", name: "g" },
    ]);
    expect(
      [tool("a"), fn("f"), fn("f"), tool("a"), tool("a"), tool("x")].map((message) => calls.answer(message)),
    ).toEqual([0, 1, undefined, 2, undefined, undefined]);
    expect([0, 1, 2].map((at) => calls.isWaiting(at))).toEqual([false, false, false]);
  });

  it("knows which calls wait", () => {
    const calls = new WaitingCalls([{ id: "a", name: "f" }]);
    expect([calls.isWaiting(0), calls.isWaiting(1)]).toEqual([true, false]);
  });
});

describe("a message with 20,000 calls of the same id", () => {
  const call = { id: "same", kind: { case: "function" as const, value: { name: "f", arguments: "{}" } } };
  const count = 20_000;
  const params = create(ChatCompletionParamsSchema, {
    messages: [
      { role: Role.USER, content: [{ kind: { case: "text", value: "hi" } }] },
      { role: Role.ASSISTANT, toolCalls: Array.from({ length: count }, () => call) },
      ...Array.from({ length: count }, () => ({ role: Role.TOOL, toolCallId: "same" })),
    ],
  });
  const chance = { newCallId: () => "call_new" };

  it.each([
    ["anthropic", createAnthropic("p", create(AnthropicSchema), chance), /"type":"tool_use","id":"([^"]+)"/g],
    [
      "openai-compatible",
      createOpenAICompatible("p", create(OpenAICompatibleSchema, { baseUrl: "https://a.example" }), chance),
      /"id":"([^"]+)"/g,
    ],
  ])("%s: each gets an id of its own", (_family, provider, ids) => {
    const { body = "" } = provider.encodeRequest({ model: "m", params, streaming: false, media: new Map() }).request;
    expect(new Set(Array.from(body.matchAll(ids), ([, id]) => id)).size).toBe(count);
  });
});
