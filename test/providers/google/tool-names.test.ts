import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { Role } from "../../../src/gen/parley/chat/v1/message_pb.ts";
import { ChatCompletionParamsSchema } from "../../../src/gen/parley/chat/v1/params_pb.ts";
import { AllowedTools_Mode } from "../../../src/gen/parley/chat/v1/tool_pb.ts";
import { GoogleSchema } from "../../../src/gen/parley/config/v1/google_pb.ts";
import { createGoogle } from "../../../src/providers/google/provider.ts";

describe("a request with 40,000 tools, of which every other one is allowed", () => {
  it.each([
    ["as Gemini takes them", "f", "f"],
    ["that Gemini takes by other names", "1", "_1"],
  ])("declares those that are allowed, with names %s", (_, prefix, wirePrefix) => {
    const tools = Array.from({ length: 40_000 }, (_, at) => ({
      kind: { case: "function" as const, value: { name: `${prefix}${at}` } },
    }));
    const params = create(ChatCompletionParamsSchema, {
      messages: [{ role: Role.USER, content: [{ kind: { case: "text" as const, value: "hi" } }] }],
      tools,
      toolChoice: {
        choice: {
          case: "allowedTools",
          value: { mode: AllowedTools_Mode.AUTO, tools: tools.filter((_, at) => at % 2 === 0).toReversed() },
        },
      },
    });
    const provider = createGoogle("p", create(GoogleSchema), { newCallId: () => "call_new" });
    const call = { model: "gemini-3-pro", params, streaming: false, media: new Map() };
    const { body = "{}" } = provider.encodeRequest(call).request;
    const [declared] = (JSON.parse(body) as { tools: { functionDeclarations: { name: string }[] }[] }).tools;
    const expected = Array.from({ length: 20_000 }, (_, at) => `${wirePrefix}${2 * at}`);
    expect(declared?.functionDeclarations.map(({ name }) => name)).toEqual(expected);
  });
});
