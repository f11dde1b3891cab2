import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import {
  type ChatCompletion,
  type ChatCompletionChunk,
  ChatCompletionSchema,
} from "../gen/parley/chat/v1/completion_pb.ts";
import { type ChatCompletionParams, ChatCompletionParamsSchema } from "../gen/parley/chat/v1/params_pb.ts";
import { stringifyJson } from "../openai-json/encode.ts";
import type { CallLog } from "../telemetry/call-log.ts";
import { createFold } from "./fold.ts";
import type { CallContext } from "./operation.ts";

/** Notes for the log of requests what is asked for; the parameters themselves only where the caller has contents kept. */
export function noteAsked({ caller, log }: CallContext, params: ChatCompletionParams | undefined): void {
  if (params !== undefined) log.asked(params.model);
  if (!caller.logContent) return;
  log.kept({ params: params && textOf(ChatCompletionParamsSchema, params, false) });
}

/** Notes the answer, where the caller has contents kept. */
export function noteAnswer({ content }: CallLog, completion: ChatCompletion): void {
  if (content !== undefined) content.completion = () => textOf(ChatCompletionSchema, completion, true);
}

/** Begins to note an answer that is streamed. Returns what notes its next chunks; undefined where contents are not kept. */
export function noteStream({ content }: CallLog): ((chunks: readonly ChatCompletionChunk[]) => void) | undefined {
  if (content === undefined) return undefined;
  const fold = createFold();
  // The log may ask while the stream is still being ended.
  content.completion = () => textOf(ChatCompletionSchema, fold.completion, true);
  return (chunks) => {
    for (const chunk of chunks) fold.push(chunk);
  };
}

/** OpenAI's JSON of a message; undefined for one that can't be said in it, which is for somebody else to refuse. */
function textOf<Desc extends DescMessage>(desc: Desc, message: MessageShape<Desc>, nulls: boolean): string | undefined {
  try {
    return stringifyJson(desc, message, { nulls });
  } catch {
    return undefined; // The call itself does not fail for it.
  }
}
