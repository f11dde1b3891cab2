import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect } from "vitest";
import { GatewayError } from "../../../src/errors/gateway-error.ts";
import { createStreamGrammar } from "../../../src/gateway/stream-grammar.ts";
import {
  type ChatCompletionChunk,
  ChatCompletionChunkSchema,
  ChatCompletionSchema,
} from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { ChatCompletionParamsSchema } from "../../../src/gen/parley/chat/v1/params_pb.ts";
import { OpenAICompatibleSchema } from "../../../src/gen/parley/config/v1/openai_compatible_pb.ts";
import { decodeJson } from "../../../src/openai-json/decode.ts";
import { encodeJson } from "../../../src/openai-json/encode.ts";
import { createOpenAICompatible } from "../../../src/providers/openai-compatible/provider.ts";
import type { EncodedCall, Medium, Provider, StreamEvent } from "../../../src/providers/provider.ts";
import { fold } from "../../support/fold.ts";

type Config = Extract<MessageInitShape<typeof OpenAICompatibleSchema>, { $typeName?: never }>;

/** A provider called "up". The ids of calls that it makes itself are call_new1, call_new2, … */
export function providerOf(config: Config | string): Provider {
  const given = typeof config === "string" ? { vendor: config } : config;
  let made = 0;
  const chance = { newCallId: () => `call_new${++made}` };
  return createOpenAICompatible(
    "up",
    create(OpenAICompatibleSchema, { baseUrl: "https://up.example/v1", apiKey: "key", ...given }),
    chance,
  );
}

/** Encodes a request in OpenAI's JSON. */
export function encode(
  provider: Provider,
  request: object,
  streaming = false,
  media: ReadonlyMap<string, Medium> = new Map(),
): EncodedCall {
  const params = decodeJson(ChatCompletionParamsSchema, JSON.parse(JSON.stringify(request)));
  return provider.encodeRequest({ model: params.model, params, streaming, media });
}

const HELLO = { model: "m", messages: [{ role: "user", content: "Hello" }] };

/** What clients get of a body, in OpenAI's JSON without what is unset. */
export const answerTo = (config: Config | string, body: unknown, n = 1, asked: object = {}): object =>
  encodeJson(
    ChatCompletionSchema,
    encode(providerOf(config), { ...HELLO, n, ...asked }).decodeResponse(
      typeof body === "string" ? body : JSON.stringify(body),
    ),
    { nulls: false },
  );

/** An event: JSON, or its data as text. */
export type Event = object | string;

const eventOf = (event: Event) => ({
  event: undefined,
  data: typeof event === "string" ? event : JSON.stringify(event),
});

/** The chunks that a provider makes of events, in OpenAI's JSON without what is unset. `ends`: whether the body then ends. */
export function chunksOf(config: Config | string, events: readonly Event[], n = 1): object[] {
  return decodeAll(config, events, n).map((chunk) => encodeJson(ChatCompletionChunkSchema, chunk, { nulls: false }));
}

/** The chunks that a provider makes of events and the end of the body. */
export function decodeAll(
  config: Config | string,
  events: readonly Event[],
  n = 1,
  asked: object = {},
): ChatCompletionChunk[] {
  const decoder = encode(providerOf(config), { ...HELLO, n, ...asked }, true).createStreamDecoder();
  const chunks = events.flatMap((event) => decoder.push(eventOf(event)));
  return [...chunks, ...decoder.finish()];
}

/** The whole answer that clients make of a stream, after the gateway held it to its grammar. */
export function foldedOf(config: Config | string, events: readonly Event[], n = 1, asked: object = {}) {
  const grammar = createStreamGrammar({ id: "id", created: 1n, model: "m" }, n);
  const out: ChatCompletionChunk[] = [];
  for (const chunk of decodeAll(config, events, n, asked)) grammar.push(chunk, out);
  const usage = grammar.finish();
  return fold(usage === undefined ? out : [...out, usage]);
}

/** All chunks that clients get of events, in OpenAI's JSON without what is unset and what is the same on each. */
export function gatewayChunks(vendor: string, events: readonly StreamEvent[]): object[] {
  const decoder = encode(providerOf(vendor), HELLO, true).createStreamDecoder();
  const grammar = createStreamGrammar({ id: "id", created: 1n, model: "m" }, 1);
  const out: ChatCompletionChunk[] = [];
  for (const event of events) for (const chunk of decoder.push(event)) grammar.push(chunk, out);
  for (const chunk of decoder.finish()) grammar.push(chunk, out);
  const usage = grammar.finish();
  return [...out, ...(usage === undefined ? [] : [usage])].map((chunk) => {
    const { object, id, created, model, ...rest } = encodeJson(ChatCompletionChunkSchema, chunk, { nulls: false });
    expect([object, id, created, model]).toEqual(["chat.completion.chunk", "id", 1, "m"]);
    return rest;
  });
}

/** The same in OpenAI's JSON: its choices without what is unset. */
export const foldedChoices = (config: Config | string, events: readonly Event[], n = 1, asked: object = {}) =>
  encodeJson(ChatCompletionSchema, foldedOf(config, events, n, asked), { nulls: false })["choices"];

/** The GatewayError that is thrown. */
export function thrownBy(work: () => unknown): GatewayError {
  try {
    work();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** A chunk of one choice. */
export const chunk = (delta: object, finish: string | null = null, more: object = {}) => ({
  id: "up-1",
  object: "chat.completion.chunk",
  created: 5,
  model: "up-model",
  choices: [{ index: 0, delta, finish_reason: finish, ...more }],
});
