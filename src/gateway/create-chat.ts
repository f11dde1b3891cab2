import { create } from "@bufbuild/protobuf";
import {
  type CreateChatCompletionRequest,
  CreateChatCompletionRequestSchema,
  type CreateChatCompletionResponse,
  CreateChatCompletionResponseSchema,
} from "../gen/parley/chat/v1/chat_service_pb.ts";
import type { Catalogue } from "../routing/catalogue.ts";
import type { CallScope } from "./call-scope.ts";
import { createIdentity } from "./identity.ts";
import type { CallContext } from "./operation.ts";
import { prepare } from "./prepare.ts";
import { hideReasoning } from "./reasoning.ts";
import { Reporter } from "./report.ts";
import { settleCompletion } from "./settle-completion.ts";

/** Answers a request in one piece. */
export async function createChat(
  request: CreateChatCompletionRequest,
  call: CallContext,
  scope: CallScope,
  catalogue: Catalogue,
): Promise<CreateChatCompletionResponse> {
  const prepared = prepare(CreateChatCompletionRequestSchema, request, false, catalogue, call.log);
  const { target, plan } = prepared;
  const reporter = new Reporter(call.log, target, plan.adjustments);
  const answer = await plan.complete(scope.signal);
  reporter.answered();
  reporter.heardFrom(answer);
  const completion = settleCompletion(answer, createIdentity(target.answeredAs), prepared.choices);
  if (request.options?.includeReasoning === false) hideReasoning(completion);
  const report = reporter.last(completion);
  return create(CreateChatCompletionResponseSchema, { completion, report });
}
