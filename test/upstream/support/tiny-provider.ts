import { create } from "@bufbuild/protobuf";
import {
  type ChatCompletion,
  type ChatCompletionChunk,
  ChatCompletionChunkSchema,
  ChatCompletionSchema,
  FinishReason,
} from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../../src/gen/parley/chat/v1/message_pb.ts";
import type { Endpoint, Provider, StreamDecoder } from "../../../src/providers/provider.ts";
import {
  interrupted,
  invalidResponse,
  parseUpstream,
  readErrorBody,
  toGatewayError,
} from "../../../src/providers/upstream-error.ts";

const ID = "tiny";

/** A key that must be seen by the upstream, and by nobody else. */
export const KEY = "sk-tiny-0123456789abcdef";

export const endpointAt = (baseUrl: string, change: Partial<Endpoint> = {}): Endpoint => ({
  baseUrl,
  query: "",
  headers: {},
  secretHeaders: { authorization: `Bearer ${KEY}` },
  ...change,
});

/**
 * A provider with a dialect as small as can be: it sends {"model","stream","pictures"}, and gets {"text"} or {"error"}, whole or
 * event by event, with "[DONE]" at the end. It wants pictures as bytes.
 */
export function createTinyProvider(endpoint: Endpoint): Provider {
  return {
    id: ID,
    vendor: "generic",
    endpoint,
    mediaToFetch: (_model, { messages }) =>
      messages.flatMap(({ content }, at) =>
        content.flatMap(({ kind }, part) =>
          kind.case === "imageUrl"
            ? [{ url: kind.value.url, path: `messages[${at}].content[${part}].image_url.url` }]
            : [],
        ),
      ),
    encodeRequest({ model, params, streaming, media }) {
      const pictures = this.mediaToFetch(model, params).map(
        ({ url }) => media.get(url)?.data ?? `[fetched from ${url}]`,
      );
      return {
        request: { method: "POST", path: "/chat", body: JSON.stringify({ model, stream: streaming, pictures }) },
        adjustments: [],
        decodeResponse: (body) => completionOf(textIn(parseUpstream(ID, body))),
        createStreamDecoder: createDecoder,
      };
    },
    decodeError: ({ status, body }) => toGatewayError({ status, ...readErrorBody(body) }, ID),
    abilitiesOf: () => ({}),
    modelsRequest: { method: "GET", path: "/models" },
    decodeModels: () => ({ models: [], next: undefined }),
  };
}

function createDecoder(): StreamDecoder {
  let isDone = false;
  return {
    get isDone() {
      return isDone;
    },
    push({ data }) {
      const isLast = data === "[DONE]";
      isDone = isLast || data.startsWith('{"error"');
      return isLast ? [] : [chunkOf(textIn(parseUpstream(ID, data, "event")))];
    },
    finish() {
      throw interrupted(ID);
    },
  };
}

function textIn({ text, error }: Record<string, unknown>): string {
  if (error !== undefined) throw toGatewayError({ ...readErrorBody(JSON.stringify({ error })), status: 503 }, ID);
  if (typeof text !== "string") throw invalidResponse(ID, "a body without a text");
  return text;
}

const completionOf = (text: string): ChatCompletion =>
  create(ChatCompletionSchema, {
    choices: [
      {
        message: { role: Role.ASSISTANT, content: [{ kind: { case: "text", value: text } }] },
        finishReason: FinishReason.STOP,
      },
    ],
  });

const chunkOf = (content: string): ChatCompletionChunk =>
  create(ChatCompletionChunkSchema, { choices: [{ delta: { content } }] });

/** What a completion says. */
export function saidBy({ choices: [choice] }: ChatCompletion): string | undefined {
  const kind = choice?.message?.content[0]?.kind;
  return kind?.case === "text" ? kind.value : undefined;
}

/** What the chunks of a batch say, each. */
export const textsOf = (batch: readonly ChatCompletionChunk[]): (string | undefined)[] =>
  batch.map(({ choices: [choice] }) => choice?.delta?.content);
