import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { ChatService } from "../src/gen/parley/chat/v1/chat_service_pb.ts";
import { Role } from "../src/gen/parley/chat/v1/message_pb.ts";

const baseUrl = process.env["PARLEY_URL"] ?? "http://127.0.0.1:8080";
// For gRPC, createGrpcTransport({ baseUrl }); the rest stays as it is.
const chat = createClient(ChatService, createConnectTransport({ baseUrl, httpVersion: "1.1" }));

const stream = chat.streamChatCompletion(
  {
    params: {
      model: "auto",
      messages: [{ role: Role.USER, content: [{ kind: { case: "text", value: "Tell me about streaming" } }] }],
    },
  },
  { timeoutMs: 10_000 },
);
for await (const { chunk } of stream) process.stdout.write(chunk?.choices[0]?.delta?.content ?? "");
process.stdout.write("\n");
