/** What OpenAI's types allow is let in, whatever the model then makes of it. */
import { create, type JsonObject } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { admitChat } from "../../src/admission/admit.ts";
import { StreamChatCompletionRequestSchema } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { FULL_REQUEST, REQUESTS } from "../openai-json/support/openai-requests.ts";

/** What a parameter needs beside it. */
const COMPANIONS: Readonly<Record<string, object>> = {
  tool_choice: { tools: FULL_REQUEST.tools },
  function_call: { functions: FULL_REQUEST.functions },
  modalities: { audio: FULL_REQUEST.audio },
};
const HELLO = [{ role: "user", content: "Hello" }];

it.each(REQUESTS)("a request of OpenAI's types is let in (%s)", async (_, request) => {
  const beside = Object.keys(request).map((key) => COMPANIONS[key] ?? {});
  const messages = request.messages.length === 0 ? HELLO : request.messages;
  const json = Object.assign({}, ...beside, request, { messages }) as JsonObject;
  const params = decodeJson(ChatCompletionParamsSchema, json);
  const schema = StreamChatCompletionRequestSchema;
  expect((await admitChat(schema, create(schema, { params }), true)).model).toBe(request.model);
});
