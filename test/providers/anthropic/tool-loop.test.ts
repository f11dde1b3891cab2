import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type ChatCompletion, ChatCompletionSchema } from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { ChatCompletionParamsSchema } from "../../../src/gen/parley/chat/v1/params_pb.ts";
import { decodeJson } from "../../../src/openai-json/decode.ts";
import { encodeJson } from "../../../src/openai-json/encode.ts";
import { createRecollection } from "../../../src/upstream/recollection.ts";
import { fold } from "../../support/fold.ts";
import { answer, createProvider, decodeEvents, describeAdjustment, eventsOf, plan } from "./support.ts";

const model = "claude-sonnet-4-5";
const tools = [
  { type: "function", function: { name: "w" } },
  { type: "custom", custom: { name: "c" } },
];
const asked = plan({ tools }, { model });

const thought = { type: "thinking", thinking: 'Hm "🪿"\n…\\u0041', signature: "EoQDCm0IDhgC+/=" };
const unshown = { type: "thinking", thinking: "", signature: "EqQB" };
const hidden = { type: "redacted_thinking", data: "Eq8D/+=" };
const use = (id: string, name: string, input: JsonObject) => ({ type: "tool_use", id, name, input });

/** What the model said, and what of it must come back. */
const ANSWERS: readonly (readonly [string, JsonObject[]])[] = [
  ["one thought", [thought, use("toolu_1", "w", { a: 1 })]],
  [
    "thoughts of every kind",
    [thought, hidden, unshown, thought, use("toolu_1", "w", {}), use("toolu_2", "c", { input: "x" })],
  ],
  ["a thought that is not shown, and a text", [unshown, { type: "text", text: "Look" }, use("toolu_1", "w", {})]],
];

type Tell = (content: JsonObject[]) => ChatCompletion;
const whole: Tell = (content) => asked.decodeResponse(JSON.stringify(answer(content, { stop_reason: "tool_use" })));
const streamed: Tell = (content) =>
  fold(decodeEvents(asked, eventsOf(answer(content, { stop_reason: "tool_use" }), 2)));

/** The message that a client sends back, of the keys that it knows. */
function sentBack(completion: ChatCompletion, known: (message: JsonObject) => JsonObject): JsonObject {
  const [{ message }] = encodeJson(ChatCompletionSchema, completion)["choices"] as [{ message: JsonObject }];
  return known(message);
}

/** What is sent of the next request, after what was stripped is put back. */
function next(content: JsonObject[], message: JsonObject, recollection = createRecollection()) {
  const calls = content.flatMap(({ type, id }) => (type === "tool_use" ? [id as string] : []));
  const params = decodeJson(ChatCompletionParamsSchema, {
    model: "m",
    tools,
    reasoning_effort: "low",
    messages: [
      { role: "user", content: "Hi" },
      message,
      ...calls.map((id) => ({ role: "tool", tool_call_id: id, content: "sun" })),
    ],
  });
  const call = { model, params: recollection.restore("anthropic", params), streaming: false, media: new Map() };
  const { request, adjustments } = createProvider().encodeRequest(call);
  return { body: JSON.parse(request.body ?? "") as JsonObject, adjustments: adjustments.map(describeAdjustment) };
}

const everything = (message: JsonObject): JsonObject => message;
const callsOnly = ({ role, content, tool_calls }: JsonObject): JsonObject =>
  ({ role, content, tool_calls }) as JsonObject;
const withoutDetails = ({ reasoning_details, ...message }: JsonObject): JsonObject => message;

describe.each<[string, Tell]>([
  ["whole", whole],
  ["streamed", streamed],
])("edge case 17: a tool loop whose answer came %s", (_how, tell) => {
  describe.each(ANSWERS)("with %s", (_what, content) => {
    const blocks = { thinking: { type: "enabled" }, messages: [{}, { role: "assistant", content }, {}] };

    it("gives the thoughts back as they came, of a client that keeps everything", () => {
      const { body, adjustments } = next(content, sentBack(tell(content), everything));
      expect(body).toMatchObject(blocks);
      expect((body["messages"] as JsonObject[])[1]).toEqual({ role: "assistant", content });
      expect(adjustments).toEqual([]);
    });

    it.each([
      ["the calls", callsOnly],
      ["all but the details", withoutDetails],
    ])("gives the thoughts back as they came, of a client that keeps %s", (_kept, known) => {
      const recollection = createRecollection();
      const completion = tell(content);
      recollection.remember("anthropic", completion);
      const { body, adjustments } = next(content, sentBack(completion, known), recollection);
      expect((body["messages"] as JsonObject[])[1]).toEqual({ role: "assistant", content });
      expect(body).toMatchObject(blocks);
      expect(adjustments).toEqual([]);
    });

    it("does not think where the thoughts are lost, and says so", () => {
      const { body, adjustments } = next(content, sentBack(tell(content), callsOnly));
      expect(body).toMatchObject({
        thinking: { type: "disabled" },
        messages: [{}, { content: content.filter(({ type }) => type === "text" || type === "tool_use") }, {}],
      });
      expect(adjustments).toEqual(["mapped reasoning_effort: low → disabled"]);
    });
  });

  it("listens to a stream for what a client will strip", () => {
    const content = ANSWERS[1]?.[1] as JsonObject[];
    const recollection = createRecollection();
    const listener = recollection.listen("anthropic");
    const chunks = decodeEvents(asked, eventsOf(answer(content, { stop_reason: "tool_use" }), 2));
    for (const chunk of chunks) listener.push(chunk);
    listener.finish();
    const { body } = next(content, sentBack(fold(chunks), callsOnly), recollection);
    expect((body["messages"] as JsonObject[])[1]).toEqual({ role: "assistant", content });
  });

  it.each([
    ["google-gemini-v1", { type: "reasoning.encrypted", data: "G1", format: "google-gemini-v1", index: 0 }],
    ["openai-responses-v1", { type: "reasoning.encrypted", data: "O1", format: "openai-responses-v1", index: 0 }],
    ["no", { type: "reasoning.text", text: "Hm", signature: "S", index: 0 }],
  ])("sends no thought of %s format", (_format, detail) => {
    const content = [use("toolu_1", "w", {})];
    const message = { ...sentBack(tell(content), everything), reasoning_details: [detail] };
    const { body, adjustments } = next(content, message);
    expect(JSON.stringify(body)).not.toMatch(/G1|O1|Hm/);
    expect(adjustments).toEqual([
      "dropped messages[1].reasoning_details[0]",
      "mapped reasoning_effort: low → disabled",
    ]);
  });
});
