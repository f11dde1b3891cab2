import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { CallOptions } from "../gen/parley/chat/v1/chat_service_pb.ts";
import type { ChatCompletionParams } from "../gen/parley/chat/v1/params_pb.ts";
import { checkMessages } from "./check-messages.ts";
import { checkParams } from "./check-params.ts";
import { checkSchemas } from "./check-schemas.ts";
import { validate } from "./validate.ts";

/** A request for a chat completion, of whichever rpc. */
export type ChatRequest = Message & {
  readonly params?: ChatCompletionParams | undefined;
  readonly options?: CallOptions | undefined;
};

/**
 * Lets a request for a chat completion in, and returns its parameters: at once, unless the rules of the contract take longer to judge it.
 * Fails with the reason why not, naming the field. `streaming`: whether it is answered piece by piece; undefined: it is queued, and what it
 * says about that means nothing.
 */
export function admitChat(
  schema: DescMessage,
  request: ChatRequest,
  streaming: boolean | undefined,
): ChatCompletionParams | Promise<ChatCompletionParams> {
  const judging = validate(schema, request);
  return judging === undefined ? admitValid(request, streaming) : judging.then(() => admitValid(request, streaming));
}

/** What the rules of the contract don't say. */
function admitValid(request: ChatRequest, streaming: boolean | undefined): ChatCompletionParams {
  const params = request.params as ChatCompletionParams;
  checkMessages(params.messages, request.options?.strict === true);
  checkParams(params, streaming);
  checkSchemas(params);
  return params;
}
