/** RPC: the Connect services, which also speak gRPC and gRPC-Web. They are thin: each rpc is an operation of the gateway. */
import type { ConnectRouter } from "@connectrpc/connect";
import type { Operations } from "../gateway/operation.ts";
import { ChatService, type StreamChatCompletionResponse } from "../gen/parley/chat/v1/chat_service_pb.ts";
import { streaming, unary } from "./serve-operation.ts";

/** Serves parley.chat.v1.ChatService. */
export function addChatService(router: ConnectRouter, operations: Operations): void {
  router.service(ChatService, {
    createChatCompletion: unary(operations.createChatCompletion),
    streamChatCompletion: streaming(operations.streamChatCompletion, ({ params }) =>
      params?.streamOptions?.includeUsage === false ? withoutUsage : undefined,
    ),
    explainChatCompletion: unary(operations.explainChatCompletion),
  });
}

/** Takes the usage out of a message; what the report says of it stays. */
function withoutUsage(message: StreamChatCompletionResponse): StreamChatCompletionResponse {
  if (message.chunk?.usage !== undefined) delete message.chunk;
  return message;
}
