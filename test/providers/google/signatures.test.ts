import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { Role } from "../../../src/gen/parley/chat/v1/message_pb.ts";
import { ChatCompletionParamsSchema } from "../../../src/gen/parley/chat/v1/params_pb.ts";
import { GoogleSchema } from "../../../src/gen/parley/config/v1/google_pb.ts";
import { createGoogle } from "../../../src/providers/google/provider.ts";
import { signatureDetail } from "../../../src/providers/google/signatures.ts";

describe("a message with 20,000 calls and as many signatures", () => {
  it("has each signature on its own call", () => {
    const places = Array.from({ length: 20_000 }, (_, at) => at);
    const params = create(ChatCompletionParamsSchema, {
      messages: [
        { role: Role.USER, content: [{ kind: { case: "text" as const, value: "hi" } }] },
        {
          role: Role.ASSISTANT,
          toolCalls: places.map((at) => ({
            id: `call_${at}`,
            kind: { case: "function" as const, value: { name: "f", arguments: "{}" } },
          })),
          reasoningDetails: places.toReversed().map((at) => signatureDetail(`s${at}`, `call_${at}`, at)),
        },
        ...places.map((at) => ({ role: Role.TOOL, toolCallId: `call_${at}` })),
      ],
    });
    const provider = createGoogle("p", create(GoogleSchema), { newCallId: () => "call_new" });
    const call = { model: "gemini-3-pro", params, streaming: false, media: new Map() };
    const { body = "" } = provider.encodeRequest(call).request;
    const found = Array.from(body.matchAll(/"thoughtSignature":"([^"]+)"/g), ([, signature]) => signature);
    expect(found).toEqual(places.map((at) => `s${at}`));
  });
});
