import { type DescMessage, isMessage, type Message } from "@bufbuild/protobuf";
import { type ChatCompletionChunk, ChatCompletionChunkSchema } from "../gen/parley/chat/v1/completion_pb.ts";
import { Run_Status, RunSchema } from "../gen/parley/runs/v1/runs_service_pb.ts";
import { stringifyJson } from "../openai-json/encode.ts";
import { compileStreamStringifier } from "../openai-json/stream-stringifier.ts";
import { messageAt } from "./field-path.ts";
import type { EventFields, StreamTarget } from "./route-target.ts";

/** Encodes the messages of one stream. */
export interface EventEncoder {
  /** Encodes a streamed message as an event; "" where it makes none. */
  encode(message: Message): string;
  /** What stands behind the last event of a stream that did not fail. */
  end(): string;
}

/** What a stream that has answered ends with. */
const DONE = "data: [DONE]\n\n";

/** Encodes one event. JSON has no line breaks of its own, so one `data` line is enough. */
export function encodeEvent(json: string): string {
  return `data: ${json}\n\n`;
}

/** Makes the encoder of one stream. `usage`: whether its client is told the usage. */
export function createEventEncoder({ method, responseBody, events }: StreamTarget, usage: boolean): EventEncoder {
  if (events !== undefined) return createRunEncoder(events);
  const desc = responseBody?.message ?? method.output;
  const stringify = createStringifier(desc, usage);
  return {
    encode(message) {
      const body = responseBody === undefined ? message : messageAt(message, responseBody);
      const json = body && stringify(body);
      return json === undefined ? "" : encodeEvent(json);
    },
    end: () => DONE,
  };
}

/** Encodes events with ids. "[DONE]" follows only on a run that has its response: behind one that failed, nothing may look like success. */
function createRunEncoder({ id, data, members }: EventFields): EventEncoder {
  const stringify = withUsage();
  let isCompleted = false;
  return {
    encode(message) {
      const fields = message as unknown as Readonly<Record<string, unknown>>;
      const { case: member, value } = fields[data] as { readonly case?: string; readonly value?: Message };
      const kind = members.get(member ?? "");
      if (kind === undefined || value === undefined) return "";
      isCompleted = isMessage(value, RunSchema) && value.status === Run_Status.COMPLETED;
      const json = isMessage(value, ChatCompletionChunkSchema) ? stringify(value) : stringifyJson(kind.message, value);
      return `id: ${fields[id]}\n${kind.name === "" ? "" : `event: ${kind.name}\n`}${encodeEvent(json)}`;
    },
    end: () => (isCompleted ? DONE : ""),
  };
}

/** What differs from one chunk to the next, most of the time. */
const CONTENT = ["choices", "delta", "content"] as const;

/** A client that wants the usage finds the key on every chunk, with null until it is known. */
const withUsage = compileStreamStringifier(ChatCompletionChunkSchema, CONTENT);
/** A client that does not want it finds no such key, and not the chunk that is sent for it alone. */
const withoutUsage = compileStreamStringifier(ChatCompletionChunkSchema, CONTENT, { without: "usage" });

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
