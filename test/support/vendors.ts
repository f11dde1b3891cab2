/** A hand-made upstream that plays all vendors at once: each below a path of its own, with the least answer that its API allows. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { isObject } from "../../src/openai-json/is-object.ts";
import { eventStream, json, type Reply, startUpstream, type Upstream, type UpstreamRequest } from "./upstream.ts";

/** The APIs that are played. */
export type Api = "openai" | "anthropic" | "google";

/** A call that a vendor got. */
export interface VendorCall {
  /** Path below the upstream's root that the vendor's own begins with: "deepseek". */
  readonly vendor: string;
  readonly api: Api;
  readonly streaming: boolean;
  readonly body: JsonObject;
  readonly request: UpstreamRequest;
}

/** An upstream that plays vendors. */
export interface Vendors {
  readonly upstream: Upstream;
  /** Address of a vendor, for its provider's base_url. */
  baseUrl(vendor: string, api: Api): string;
  /** The calls so far; what is read besides, such as lists of models, is none. */
  calls(): readonly VendorCall[];
}

const BASE: Readonly<Record<Api, string>> = { openai: "/v1", anthropic: "", google: "" };

/** Starts vendors. `answer` may answer a request in place of the least answer. */
export async function startVendors(
  answer: (call: VendorCall) => Reply | undefined = () => undefined,
  other: (request: UpstreamRequest) => Reply | Promise<Reply> = () => json({ error: { message: "not here" } }, 404),
): Promise<Vendors> {
  const upstream = await startUpstream((request) => {
    const call = callOf(request);
    return call === undefined ? other(request) : (answer(call) ?? sayHello(call));
  });
  return {
    upstream,
    baseUrl: (vendor, api) => `${upstream.url}/${vendor}${BASE[api]}`,
    calls: () => upstream.requests.flatMap((request) => callOf(request) ?? []),
  };
}

const PATHS: readonly (readonly [Api, RegExp])[] = [
  ["openai", /^\/v1\/chat\/completions(?:\?|$)/],
  ["anthropic", /^\/v1\/messages(?:\?|$)/],
  ["google", /^\/v1beta\/models\/[^/:]+:(?:g|streamG)enerateContent(?:\?|$)/],
];

function callOf(request: UpstreamRequest): VendorCall | undefined {
  const [, vendor = "", path = ""] = /^\/([^/]*)(\/.*)$/.exec(request.path) ?? [];
  const api = PATHS.find(([, pattern]) => pattern.test(path))?.[0];
  if (api === undefined || request.method !== "POST") return undefined;
  const body = JSON.parse(request.body) as JsonValue;
  if (!isObject(body)) throw new Error("a call whose body is no object");
  return { vendor, api, streaming: body["stream"] === true || path.includes(":stream"), body, request };
}

/** Events of Anthropic's, which have names. */
export const named = (...all: readonly JsonObject[]): string[] =>
  all.map((data) => `event: ${String(data["type"])}\ndata: ${JSON.stringify(data)}\n\n`);

/** Events without names. */
export const plain = (...all: readonly JsonObject[]): string[] =>
  all.map((data) => `data: ${JSON.stringify(data)}\n\n`);

/** An answer with content blocks of Anthropic's, whole or streamed as Anthropic does. */
export function anthropicAnswer({ streaming }: VendorCall, blocks: readonly JsonObject[], stop = "end_turn"): Reply {
  const message = { id: "msg_1", type: "message", role: "assistant", model: "claude-played" };
  const usage = { input_tokens: 10, output_tokens: 5 };
  if (!streaming) return json({ ...message, content: blocks, stop_reason: stop, stop_sequence: null, usage });
  return eventStream([
    ...named({ type: "message_start", message: { ...message, content: [], stop_reason: null, usage } }),
    ...blocks.flatMap((block, index) => named(...blockEvents(block, index))),
    ...named(
      { type: "message_delta", delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: 5 } },
      { type: "message_stop" },
    ),
  ]);
}

function blockEvents(block: JsonObject, index: number): JsonObject[] {
  const [empty, deltas] = inPieces(block);
  return [
    { type: "content_block_start", index, content_block: empty },
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index },
  ];
}

function inPieces(block: JsonObject): [JsonObject, JsonObject[]] {
  switch (block["type"]) {
    case "text":
      return [{ ...block, text: "" }, [{ type: "text_delta", text: block["text"] ?? "" }]];
    case "thinking": {
      const { thinking, signature } = block as { thinking: string; signature: string };
      const half = thinking.length >> 1;
      return [
        { type: "thinking", thinking: "", signature: "" },
        [
          { type: "thinking_delta", thinking: thinking.slice(0, half) },
          { type: "thinking_delta", thinking: thinking.slice(half) },
          { type: "signature_delta", signature },
        ],
      ];
    }
    case "tool_use": {
      const input = JSON.stringify(block["input"]);
      const pieces = ["", input.slice(0, 4), input.slice(4)];
      return [{ ...block, input: {} }, pieces.map((piece) => ({ type: "input_json_delta", partial_json: piece }))];
    }
    default:
      return [block, []];
  }
}

/** An answer with parts of Google's, streamed one part an event. */
export function googleAnswer({ streaming }: VendorCall, parts: readonly JsonObject[]): Reply {
  const rest = { modelVersion: "gemini-played", responseId: "response-1" };
  const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 };
  const candidate = (some: readonly JsonObject[]): JsonObject => ({
    content: { role: "model", parts: [...some] },
    index: 0,
  });
  if (!streaming) return json({ ...rest, candidates: [{ ...candidate(parts), finishReason: "STOP" }], usageMetadata });
  const last = parts.length - 1;
  return eventStream(
    plain(
      ...parts.map((part, at) => ({
        ...rest,
        candidates: [{ ...candidate([part]), ...(at === last ? { finishReason: "STOP" } : {}) }],
        ...(at === last ? { usageMetadata } : {}),
      })),
    ),
  );
}

/** An answer with a message of OpenAI's, or with deltas of one, whose finish reason is told. */
export function openaiAnswer(
  { streaming }: VendorCall,
  { message, deltas, finish = "stop" }: { message: JsonObject; deltas: readonly JsonObject[]; finish?: string },
): Reply {
  const head = { id: "chatcmpl-1", created: 1_700_000_000, model: "gpt-played" };
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
  if (!streaming) {
    const choices = [{ index: 0, message: { role: "assistant", ...message }, finish_reason: finish }];
    return json({ ...head, object: "chat.completion", choices, usage });
  }
  const chunk = { ...head, object: "chat.completion.chunk" };
  return eventStream([
    ...plain(
      ...deltas.map((delta) => ({ ...chunk, choices: [{ index: 0, delta, finish_reason: null }] })),
      { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: finish }] },
      { ...chunk, choices: [], usage },
    ),
    "data: [DONE]\n\n",
  ]);
}

function sayHello(call: VendorCall): Reply {
  switch (call.api) {
    case "openai":
      return openaiAnswer(call, { message: { content: "Hello" }, deltas: [{ role: "assistant", content: "Hello" }] });
    case "anthropic":
      return anthropicAnswer(call, [{ type: "text", text: "Hello" }]);
    case "google":
      return googleAnswer(call, [{ text: "Hello" }]);
    default:
      return call.api satisfies never;
  }
}
