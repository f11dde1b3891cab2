import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { CallContext, Operations } from "../../../src/gateway/operation.ts";
import {
  type CreateChatCompletionRequest,
  CreateChatCompletionResponseSchema,
  type StreamChatCompletionRequest,
  type StreamChatCompletionResponse,
  StreamChatCompletionResponseSchema,
} from "../../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { FinishReason } from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../../src/gen/parley/chat/v1/message_pb.ts";
import type { CallReportSchema } from "../../../src/gen/parley/chat/v1/report_pb.ts";
import {
  GetModelResponseSchema,
  ListModelsResponseSchema,
} from "../../../src/gen/parley/models/v1/models_service_pb.ts";

/** A request that was handed to an operation. */
export interface Recorded<R> {
  readonly request: R;
  readonly call: CallContext;
}

/** Operations that answer at once, and what they were asked. */
export interface RecordingOperations
  extends Pick<Operations, "createChatCompletion" | "streamChatCompletion" | "listModels" | "getModel"> {
  readonly created: Recorded<CreateChatCompletionRequest>[];
  readonly streamed: Recorded<StreamChatCompletionRequest>[];
}

const HEAD = { id: "chatcmpl-1", created: 1_700_000_000n, model: "auto" } as const;
const USAGE = { promptTokens: 1, completionTokens: 2, totalTokens: 3 } as const;

/** An answer of one message. */
export const completionOf = (content: string, report?: MessageInitShape<typeof CallReportSchema>) =>
  create(CreateChatCompletionResponseSchema, {
    completion: {
      ...HEAD,
      choices: [
        {
          message: { role: Role.ASSISTANT, content: [{ kind: { case: "text", value: content } }] },
          finishReason: FinishReason.STOP,
        },
      ],
      usage: USAGE,
    },
    ...(report === undefined ? {} : { report }),
  });

type StreamedInit = MessageInitShape<typeof StreamChatCompletionResponseSchema>;

const streamed = (init: StreamedInit): StreamChatCompletionResponse => create(StreamChatCompletionResponseSchema, init);

/** Messages of a stream, each kind of them. */
export const streamedMessage = {
  role: () => streamed({ chunk: { ...HEAD, choices: [{ delta: { role: Role.ASSISTANT, content: "" } }] } }),
  text: (content: string) => streamed({ chunk: { ...HEAD, choices: [{ delta: { content } }] } }),
  finish: () => streamed({ chunk: { ...HEAD, choices: [{ finishReason: FinishReason.STOP }] } }),
  usage: () => streamed({ chunk: { ...HEAD, usage: USAGE } }),
  report: (report: MessageInitShape<typeof CallReportSchema>) => streamed({ report }),
};

/** Makes operations that answer "Hi". */
export function recordingOperations(): RecordingOperations {
  const created: Recorded<CreateChatCompletionRequest>[] = [];
  const streams: Recorded<StreamChatCompletionRequest>[] = [];
  return {
    created,
    streamed: streams,
    async createChatCompletion(request, call) {
      created.push({ request, call });
      return completionOf("Hi");
    },
    async *streamChatCompletion(request, call) {
      streams.push({ request, call });
      yield [streamedMessage.role(), streamedMessage.text("Hi")];
      yield [streamedMessage.finish(), streamedMessage.usage()];
    },
    listModels: async () =>
      create(ListModelsResponseSchema, { models: [{ id: "sandbox/echo", created: 5n, ownedBy: "sandbox" }] }),
    getModel: async ({ model }) =>
      create(GetModelResponseSchema, { model: { id: model, created: 5n, ownedBy: "sandbox" } }),
  };
}

/** The body of the plainest call. */
export const HELLO = { model: "auto", messages: [{ role: "user", content: "Hello" }] } as const;
