import { credentials, loadPackageDefinition, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

// The contract of this folder; elsewhere, a copy of proto/ is all that a client needs.
const options = { includeDirs: ["proto"], enums: String, arrays: true };
const contract = loadSync("parley/chat/v1/chat_service.proto", options);
const { parley } = loadPackageDefinition(contract) as unknown as {
  parley: { chat: { v1: { ChatService: ServiceClientConstructor } } };
};
const { host } = new URL(process.env["PARLEY_URL"] ?? "http://127.0.0.1:8080");
const chat = new parley.chat.v1.ChatService(host, credentials.createInsecure());

const messages = [{ role: "ROLE_USER", content: [{ text: "Tell me about streaming" }] }];
const deadline = Date.now() + 10_000;
const stream = chat.streamChatCompletion!({ params: { model: "auto", messages } }, { deadline });
for await (const { chunk } of stream) process.stdout.write(chunk?.choices[0]?.delta?.content ?? "");
process.stdout.write("\n");
chat.close();
