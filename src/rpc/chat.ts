/** RPC: the services as gRPC, gRPC-Web and Connect. They are thin: each rpc is an operation of the gateway. */
import type { Operations } from "../gateway/operation.ts";
import { ChatService, type StreamChatCompletionResponse } from "../gen/parley/chat/v1/chat_service_pb.ts";
import { type ServedMethod, streaming, unary } from "./served-method.ts";

/** The rpcs of parley.chat.v1.ChatService. */
export function serveChat(operations: Operations): readonly ServedMethod[] {
  const { method } = ChatService;
  return [
    unary(method.createChatCompletion, operations.createChatCompletion),
    streaming(method.streamChatCompletion, operations.streamChatCompletion, ({ params }) =>
      params?.streamOptions?.includeUsage === false ? withoutUsage : undefined,
    ),
    unary(method.explainChatCompletion, operations.explainChatCompletion),
  ];
}

/** Takes the usage out of a message; what the report says of it stays. */
function withoutUsage(message: StreamChatCompletionResponse): StreamChatCompletionResponse {
  if (message.chunk?.usage !== undefined) delete message.chunk;
  return message;
}
