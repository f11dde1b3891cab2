import { create } from "@bufbuild/protobuf";
import {
  type CreateChatCompletionRequest,
  CreateChatCompletionRequestSchema,
  type CreateChatCompletionResponse,
  CreateChatCompletionResponseSchema,
} from "../gen/parley/chat/v1/chat_service_pb.ts";
import type { ChatCompletion } from "../gen/parley/chat/v1/completion_pb.ts";
import { weigh } from "../routing/demand.ts";
import type { Attempt } from "./attempt.ts";
import { noteAnswer, noteAsked } from "./content.ts";
import { findAnswer } from "./find-answer.ts";
import { createIdentity } from "./identity.ts";
import { beginCall } from "./meter.ts";
import type { Origin } from "./open-stream.ts";
import { hideReasoning } from "./reasoning.ts";
import { Reporter } from "./report.ts";
import { type Serving, searchOptions } from "./serving.ts";
import { settleCompletion } from "./settle-completion.ts";

/** Answers a request in one piece. */
export async function createChat(
  request: CreateChatCompletionRequest,
  serving: Serving,
): Promise<CreateChatCompletionResponse> {
  const { call, scope, options } = serving;
  const { log } = call;
  noteAsked(call, request.params);
  const { prepared, meter } = await beginCall(CreateChatCompletionRequestSchema, request, false, serving);
  const { choices } = prepared.demand;
  try {
    const { attempt, value } = await findAnswer({
      prepared,
      scope,
      log,
      options: searchOptions(options, request.options),
      ask: (running) => complete(running, choices),
      discard: () => undefined,
    });
    attempt.succeeded();
    const { completion, origin } = value;
    if (completion.usage === undefined) meter.gave(attempt.candidate.target, tokensOf(completion));
    log.finished(completion.choices.map(({ finishReason }) => finishReason));
    if (request.options?.includeReasoning === false) hideReasoning(completion);
    noteAnswer(log, completion);
    const report = new Reporter(log, attempt, origin).last(completion);
    return create(CreateChatCompletionResponseSchema, { completion, report });
  } finally {
    meter.settle();
  }
}

const tokensOf = ({ choices }: ChatCompletion): number =>
  weigh(choices.flatMap(({ message }) => (message === undefined ? [] : [message]))).tokens;

async function complete(
  attempt: Attempt,
  choices: number,
): Promise<{ readonly completion: ChatCompletion; readonly origin: Origin }> {
  const whole = await attempt.plan.complete(attempt.signal, attempt.options);
  const { id, model } = whole;
  const completion = settleCompletion(whole, createIdentity(attempt.candidate.answersAs), choices);
  attempt.outputCame();
  return { completion, origin: { id, model } };
}
