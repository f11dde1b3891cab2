/** What is asked: the same conversation of every server, on every door. */
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import {
  CreateChatCompletionRequestSchema,
  StreamChatCompletionRequestSchema,
} from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { MARK } from "./load/mark.ts";
import { type StreamShape, wordsOf } from "./servers/mock-answers.ts";

/** A request in OpenAI's JSON. */
export interface ChatBody {
  readonly model: string;
  readonly messages: readonly { readonly role: "user" | "assistant" | "system"; readonly content: string }[];
  readonly temperature: number;
  readonly max_tokens: number;
  readonly stream?: true;
}

/** A request, and what counts its chunks, or its one answer. */
export interface Shape {
  readonly body: ChatBody;
  readonly mark: string;
  readonly marks: number;
}

const SENTENCE =
  "Please explain, step by step, why the quick brown fox jumps over the lazy dog, and name the sources you used for it.\nUse plain words, and keep it short.";

/** Ten messages, about 2 kB of JSON. */
function ask(model: string, first: string, last: string): ChatBody {
  const messages = Array.from({ length: 10 }, (_, at) => ({
    role: at === 0 ? ("system" as const) : at % 2 === 0 ? ("assistant" as const) : ("user" as const),
    content: at === 0 ? `${first} ${SENTENCE}` : at === 9 ? last : `Message ${at}: ${SENTENCE}`,
  }));
  return { model, messages, temperature: 0.7, max_tokens: 256 };
}

/** Asks a model of the mock upstream, which answers whole or with a stream. */
function askUpstream(model: string, stream?: StreamShape): Shape {
  if (stream === undefined) return { body: ask(model, "Be exact.", SENTENCE), mark: MARK, marks: 1 };
  return { body: { ...ask(model, wordsOf(stream), SENTENCE), stream: true }, mark: MARK, marks: stream.chunks };
}

/** Asks the sandbox to repeat what it is told, which is one word in a stream's chunk. */
function askSandbox(words: number): Shape {
  const body = ask("sandbox/echo", "Be exact.", Array.from({ length: words }, () => "apple").join(" "));
  return words === 1
    ? { body, mark: "apple", marks: 1 }
    : { body: { ...body, stream: true }, mark: "apple", marks: words };
}

const OPENAI = "openai/gpt-4o-mini";
const CHUNKS = 100;

/** By name of the shape. */
export const SHAPES = {
  unary: askUpstream(OPENAI),
  /** A stream as fast as it can be. */
  burst: askUpstream(OPENAI, { chunks: CHUNKS, delayMs: 0 }),
  opening: askUpstream(OPENAI, { chunks: 5, delayMs: 0 }),
  /** As a model writes that is quick. */
  paced: askUpstream(OPENAI, { chunks: 75, delayMs: 20 }),
  long: askUpstream(OPENAI, { chunks: 200, delayMs: 20 }),
  /** One that lasts a minute. */
  endless: askUpstream(OPENAI, { chunks: 3_000, delayMs: 20 }),
  /** One that says nothing after its first word, for as long as the gateway waits. */
  held: askUpstream(OPENAI, { chunks: 2, delayMs: 100_000 }),
  anthropic: askUpstream("anthropic/claude-sonnet-4-5", { chunks: CHUNKS, delayMs: 0 }),
  google: askUpstream("google/gemini-2.5-flash", { chunks: CHUNKS, delayMs: 0 }),
  large: askSandbox(1),
  words: askSandbox(CHUNKS),
} as const satisfies Record<string, Shape>;

/** Name of a shape. */
export type ShapeName = keyof typeof SHAPES;

/** Whether calls of that shape are streamed. */
export const isStreamed = (shape: ShapeName): boolean => SHAPES[shape].body.stream === true;

/** The request as OpenAI's JSON. */
export const encodeOpenAI = (shape: ShapeName): Uint8Array => Buffer.from(JSON.stringify(SHAPES[shape].body));

/** The request of the rpc that answers calls of that shape, in ProtoJSON or as Protobuf. */
export function encodeRpc(shape: ShapeName, codec: "json" | "proto"): Uint8Array {
  const schema = isStreamed(shape) ? StreamChatCompletionRequestSchema : CreateChatCompletionRequestSchema;
  const params = decodeJson(ChatCompletionParamsSchema, JSON.parse(JSON.stringify(SHAPES[shape].body)));
  const request = create(schema, { params });
  return codec === "json" ? Buffer.from(toJsonString(schema, request)) : toBinary(schema, request);
}

/** Puts the prefix of a message in a stream before it: no flags, and the length (gRPC over HTTP2, "Length-Prefixed-Message"). */
export function envelop(message: Uint8Array): Uint8Array {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
