import { create, type JsonObject, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { type ChatCompletionChunk, ChatCompletionSchema } from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { ChatCompletionParamsSchema } from "../../../src/gen/parley/chat/v1/params_pb.ts";
import { type Adjustment, Adjustment_Action } from "../../../src/gen/parley/chat/v1/report_pb.ts";
import { AnthropicSchema } from "../../../src/gen/parley/config/v1/anthropic_pb.ts";
import { decodeJson } from "../../../src/openai-json/decode.ts";
import { encodeJson } from "../../../src/openai-json/encode.ts";
import { createAnthropic } from "../../../src/providers/anthropic/provider.ts";
import type { EncodedCall } from "../../../src/providers/provider.ts";
import { fold } from "../../support/fold.ts";

type Config = MessageInitShape<typeof AnthropicSchema>;

/** The provider, whose new ids of calls are always the same. */
export const createProvider = (config: Config = {}) =>
  createAnthropic("anthropic", create(AnthropicSchema, config), { newCallId: () => "call_new" });

const USER = { messages: [{ role: "user", content: "Hi" }] };

/** The call that a request in OpenAI's JSON makes. */
export function plan(
  request: JsonObject = USER,
  { model = "claude-opus-4-6", streaming = false, config = {} as Config } = {},
): EncodedCall {
  const params = decodeJson(ChatCompletionParamsSchema, { model: "m", ...USER, ...request });
  return createProvider(config).encodeRequest({ model, params, streaming, media: new Map() });
}

/** The body that is sent, as JSON. */
export const bodyOf = ({ request }: EncodedCall): JsonObject => JSON.parse(request.body ?? "") as JsonObject;

/** An adjustment on one line: "mapped reasoning_effort: minimal → low". */
export function describeAdjustment({ action, path, before, after }: Adjustment): string {
  const said = [before, after].map((value) => (value === undefined ? "" : String(toJson(ValueSchema, value))));
  const values = said.some((text) => text !== "") ? `: ${said.filter((text) => text !== "").join(" → ")}` : "";
  return `${Adjustment_Action[action]?.toLowerCase()} ${path}${values}`;
}

/** The chunks of events. */
export function decodeEvents(call: EncodedCall, events: readonly JsonObject[]): ChatCompletionChunk[] {
  const decoder = call.createStreamDecoder();
  const chunks = events.flatMap((event) => [...decoder.push({ event: undefined, data: JSON.stringify(event) })]);
  return [...chunks, ...decoder.finish()];
}

/** The whole answer of a body, in OpenAI's JSON. */
export const decodeBody = (call: EncodedCall, body: JsonObject | string): JsonObject =>
  encodeJson(ChatCompletionSchema, call.decodeResponse(typeof body === "string" ? body : JSON.stringify(body)));

/** The whole answer of events, in OpenAI's JSON. */
export const foldEvents = (call: EncodedCall, events: readonly JsonObject[]): JsonObject =>
  encodeJson(ChatCompletionSchema, fold(decodeEvents(call, events)));

/** Anthropic's own form of an answer. */
export const answer = (content: JsonObject[], more: JsonObject = {}): JsonObject => ({
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-x",
  content,
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { input_tokens: 3, output_tokens: 5 },
  ...more,
});

/** The events that stream an answer, with its texts in pieces of that many characters. */
export function eventsOf(message: JsonObject, size = 3): JsonObject[] {
  const { content, stop_reason, stop_sequence, stop_details = null, usage, ...rest } = message;
  return [
    {
      type: "message_start",
      message: { ...rest, content: [], stop_reason: null, usage: { input_tokens: 1, output_tokens: 1 } },
    },
    ...(content as JsonObject[]).flatMap((block, index) => blockEvents(block, index, size)),
    { type: "ping" },
    { type: "message_delta", delta: { stop_reason, stop_sequence, stop_details } as JsonObject, usage: usage ?? null },
    { type: "message_stop" },
  ];
}

function blockEvents(block: JsonObject, index: number, size: number): JsonObject[] {
  const start = (content_block: JsonObject): JsonObject => ({ type: "content_block_start", index, content_block });
  const delta = (value: JsonObject): JsonObject => ({ type: "content_block_delta", index, delta: value });
  const stop = { type: "content_block_stop", index };
  switch (block["type"]) {
    case "text":
      return [
        start({ type: "text", text: "" }),
        ...((block["citations"] ?? []) as JsonObject[]).map((citation) => delta({ type: "citations_delta", citation })),
        ...pieces(block["text"] as string, size).map((text) => delta({ type: "text_delta", text })),
        stop,
      ];
    case "thinking":
      return [
        start({ type: "thinking", thinking: "", signature: "" }),
        ...pieces(block["thinking"] as string, size).map((thinking) => delta({ type: "thinking_delta", thinking })),
        delta({ type: "signature_delta", signature: block["signature"] ?? "" }),
        stop,
      ];
    case "tool_use": {
      const json = JSON.stringify(block["input"]);
      const parts = json === "{}" ? [] : pieces(json, size);
      return [
        start({ ...block, input: {} }),
        ...["", ...parts].map((partial_json) => delta({ type: "input_json_delta", partial_json })),
        stop,
      ];
    }
    default:
      return [start(block), stop];
  }
}

/** A text in pieces, cut anywhere: also between the halves of a surrogate pair. */
function pieces(text: string, size: number): string[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size));
}
