/** What is asked: the same conversations for every server and every door. */
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import {
  CreateChatCompletionRequestSchema,
  StreamChatCompletionRequestSchema,
} from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";

/** A request in OpenAI's JSON. The model repeats the last message of the user, so that every server can answer the same. */
export interface ChatBody {
  readonly model: string;
  readonly messages: readonly { readonly role: "user" | "assistant" | "system"; readonly content: string }[];
  readonly stream?: boolean;
  readonly sandbox?: { readonly token_delay_ms: number };
}

const SENTENCE =
  "The quick brown fox jumps over the lazy dog, and then it runs back to the river to see what the other animals have been doing there all day long, in the sun and in the rain.";

/** Words that are one token each. */
const WORDS = " time year people way day man thing woman life child world school state family student group".split(
  /(?= )/,
);

const ask = (content: string): ChatBody => ({ model: "sandbox/echo", messages: [{ role: "user", content }] });

const words = (count: number): string =>
  Array.from({ length: count }, (_, at) => WORDS[at % WORDS.length])
    .join("")
    .trimStart();

/** By shape of the call. Those that stream have as many chunks with content as the message has words. */
export const BODIES = {
  /** One message of 22 characters. */
  small: ask("Say hello to everybody"),
  /** Ten messages, 2 kB of JSON. */
  large: {
    model: "sandbox/echo",
    messages: Array.from({ length: 10 }, (_, at) => ({
      role: at % 2 === 0 ? ("assistant" as const) : ("user" as const),
      content: SENTENCE.slice(0, 155 + at),
    })),
  },
  /** A stream of one word. */
  opening: { ...ask(words(1)), stream: true },
  /** A stream of 200 words. */
  stream: { ...ask(words(200)), stream: true },
  /** A stream of 40 words, 5 ms apart. */
  paced: { ...ask(words(40)), stream: true, sandbox: { token_delay_ms: 5 } },
} as const satisfies Record<string, ChatBody>;

/** Name of a call's shape. */
export type Shape = keyof typeof BODIES;

/** Whether calls of that shape are streamed. */
export const isStreamed = (shape: Shape): boolean => "stream" in BODIES[shape];

/** The request as OpenAI's JSON. */
export const encodeOpenAI = (shape: Shape): Uint8Array => Buffer.from(JSON.stringify(BODIES[shape]));

/** The request of the rpc that answers calls of that shape, in ProtoJSON or as Protobuf. */
export function encodeRpc(shape: Shape, codec: "json" | "proto"): Uint8Array {
  const schema = isStreamed(shape) ? StreamChatCompletionRequestSchema : CreateChatCompletionRequestSchema;
  const params = decodeJson(ChatCompletionParamsSchema, JSON.parse(JSON.stringify(BODIES[shape])));
  const request = create(schema, { params });
  return codec === "json" ? Buffer.from(toJsonString(schema, request)) : toBinary(schema, request);
}

/** Puts the prefix of a message in a stream before it: no flags, and the length (gRPC over HTTP2, "Length-Prefixed-Message"). */
export function envelop(message: Uint8Array): Uint8Array {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
