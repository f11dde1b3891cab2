import type { DescMessage, Message } from "@bufbuild/protobuf";
import { type ChatCompletionChunk, ChatCompletionChunkSchema } from "../gen/parley/chat/v1/completion_pb.ts";
import { stringifyJson } from "../openai-json/encode.ts";
import { compileStreamStringifier } from "../openai-json/stream-stringifier.ts";
import { messageAt } from "./field-path.ts";
import type { StreamTarget } from "./route-target.ts";

/** Encodes a streamed message as an event; "" where it makes none. */
export type EventEncoder = (message: Message) => string;

/** Encodes one event. JSON has no line breaks of its own, so one `data` line is enough. */
export function encodeEvent(json: string): string {
  return `data: ${json}\n\n`;
}

/** Makes the encoder of one stream. `usage`: whether its client is told the usage. */
export function createEventEncoder({ method, responseBody }: StreamTarget, usage: boolean): EventEncoder {
  const desc = responseBody?.message ?? method.output;
  const stringify = createStringifier(desc, usage);
  return (message) => {
    const body = responseBody === undefined ? message : messageAt(message, responseBody);
    const json = body && stringify(body);
    return json === undefined ? "" : encodeEvent(json);
  };
}

/** A client that wants the usage finds the key on every chunk, with null until it is known. */
const withUsage = compileStreamStringifier(ChatCompletionChunkSchema, "choices");
/** A client that does not want it finds no such key, and not the chunk that is sent for it alone. */
const withoutUsage = compileStreamStringifier(ChatCompletionChunkSchema, "choices", { without: "usage" });

function createStringifier(desc: DescMessage, usage: boolean): (message: Message) => string | undefined {
  if (desc.typeName !== ChatCompletionChunkSchema.typeName) return (message) => stringifyJson(desc, message);
  const stringify = usage ? withUsage() : withoutUsage();
  return (message) => {
    const chunk = message as ChatCompletionChunk;
    return !usage && isForUsageAlone(chunk) ? undefined : stringify(chunk);
  };
}

const isForUsageAlone = ({ usage, choices, moderation }: ChatCompletionChunk): boolean =>
  usage !== undefined && choices.length === 0 && moderation === undefined;
