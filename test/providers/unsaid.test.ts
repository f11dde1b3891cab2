import type { JsonValue } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { type Family, reportUnsaid } from "../../src/providers/unsaid.ts";

const GOOGLE: Family = { name: "Gemini", ownContent: "google", takesImages: true };
const OTHER: Family = { name: "Other", ownContent: undefined, takesImages: false };

const report = (family: Family, messages: JsonValue, tools: JsonValue = []): string[] => {
  const params = decodeJson(ChatCompletionParamsSchema, { model: "m", messages, tools });
  return reportUnsaid(params.messages, params.tools, family).map(({ path }) => path);
};

const call = { id: "c", type: "function", function: { name: "f", arguments: "{}" } };
const loop: JsonValue = [
  { role: "user", name: "Ann", mood: "x", content: "hi" },
  {
    role: "assistant",
    content: null,
    images: [{ type: "image_url", image_url: { url: "data:image/png;base64,AA==" } }],
    annotations: [{ type: "url_citation", url_citation: { start_index: 0, end_index: 1, title: "t", url: "u" } }],
    tool_calls: [{ ...call, cost: 1, extra_content: { google: {}, other: 1 } }],
  },
  { role: "tool", tool_call_id: "c", name: "f", content: "x", took: 1 },
];

describe("reportUnsaid()", () => {
  it("names what a family has no place for, and nothing else", () => {
    const tools = [{ type: "function", strange: 1, function: { name: "f" } }];
    const always = ["messages[0].name", "messages[0].mood", "messages[1].annotations"];
    const calls = "messages[1].tool_calls[0]";
    const end = [`${calls}.extra_content.other`, `${calls}.cost`, "messages[2].took", "tools[0].strange"];
    expect(report(GOOGLE, loop, tools)).toEqual([...always, ...end]);
    expect(report(OTHER, loop, tools)).toEqual([
      "messages[0].name",
      "messages[0].mood",
      "messages[1].images",
      "messages[1].annotations",
      `${calls}.extra_content.google`,
      ...end,
    ]);
  });

  it("says nothing of an ordinary tool loop", () => {
    const ordinary = [
      { role: "user", content: "hi" },
      { role: "assistant", content: null, refusal: null, annotations: [], tool_calls: [call] },
      { role: "tool", tool_call_id: "c", content: "x" },
    ];
    expect(report(OTHER, ordinary)).toEqual([]);
  });

  it("refuses audio that a model spoke", () => {
    let error: unknown;
    try {
      report(OTHER, [{ role: "assistant", audio: { id: "a" } }]);
    } catch (thrown) {
      error = thrown;
    }
    expect(GatewayError.from(error).details.param).toBe("messages[0].audio");
  });
});
