import { create } from "@bufbuild/protobuf";
import {
  type StreamChatCompletionRequest,
  StreamChatCompletionRequestSchema,
  type StreamChatCompletionResponse,
  StreamChatCompletionResponseSchema,
} from "../gen/parley/chat/v1/chat_service_pb.ts";
import type { ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import type { Catalogue } from "../routing/catalogue.ts";
import type { CallScope } from "./call-scope.ts";
import { createIdentity } from "./identity.ts";
import type { CallContext } from "./operation.ts";
import { prepare } from "./prepare.ts";
import { hideReasoningInChunk } from "./reasoning.ts";
import { Reporter } from "./report.ts";
import { createStreamGrammar, hasOutput } from "./stream-grammar.ts";
import type { GatewayTimeouts } from "./timeouts.ts";

/** Streams the answer to a request. The last message has the usage, where there is one, and the whole report. */
export async function* streamChat(
  request: StreamChatCompletionRequest,
  call: CallContext,
  scope: CallScope,
  catalogue: Catalogue,
  timeouts: GatewayTimeouts,
): AsyncGenerator<StreamChatCompletionResponse[]> {
  const prepared = prepare(StreamChatCompletionRequestSchema, request, true, catalogue, call.log);
  const { target, plan } = prepared;
  const reporter = new Reporter(call.log, target, plan.adjustments);
  const identity = createIdentity(target.answeredAs);
  const grammar = createStreamGrammar(identity, prepared.choices);
  const hidesReasoning = request.options?.includeReasoning === false;

  let isFirst = true;
  let hasAnswered = false;
  scope.awaitOutput(timeouts.firstChunkMs);
  for await (const batch of plan.stream(scope.signal)) {
    const chunks: ChatCompletionChunk[] = [];
    // Before reasoning is hidden: the model has begun, also where the client does not see it.
    const isAnswer = !hasAnswered && batch.some(isOutput);
    for (const chunk of batch) {
      reporter.heardFrom(chunk);
      if (hidesReasoning) hideReasoningInChunk(chunk);
      grammar.push(chunk, chunks);
    }
    if (isAnswer) {
      hasAnswered = true;
      reporter.answered();
    }
    if (chunks.length > 0) {
      scope.outputCame();
      const messages = chunks.map((chunk) => create(StreamChatCompletionResponseSchema, { chunk }));
      if (isFirst) (messages[0] as StreamChatCompletionResponse).report = reporter.first();
      isFirst = false;
      yield messages;
    }
    if (hasAnswered) scope.awaitOutput(timeouts.idleMs);
    else scope.stillAwaitOutput();
  }
  scope.outputCame();
  scope.signal.throwIfAborted();
  const chunk = grammar.finish();
  const report = reporter.last(chunk);
  yield [create(StreamChatCompletionResponseSchema, chunk === undefined ? { report } : { chunk, report })];
}

/** Whether a chunk is output: a role alone is none. */
const isOutput = ({ choices }: ChatCompletionChunk): boolean =>
  choices.some(({ delta }) => delta !== undefined && hasOutput(delta));
