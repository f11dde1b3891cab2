import { blankCreateChatCompletionResponse } from "../gen/parley/chat/v1/blanks.ts";
import {
  type CreateChatCompletionRequest,
  CreateChatCompletionRequestSchema,
  type CreateChatCompletionResponse,
} from "../gen/parley/chat/v1/chat_service_pb.ts";
import type { ChatCompletion } from "../gen/parley/chat/v1/completion_pb.ts";
import { weigh } from "../routing/demand.ts";
import type { Attempt } from "./attempt.ts";
import { noteAnswer, noteAsked } from "./content.ts";
import { type AnswerKind, findAnswer, type SearchParts } from "./find-answer.ts";
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
  try {
    const parts = { prepared, scope, log, options: searchOptions(options, request.options) };
    const { attempt, value } = await findAnswer(WHOLE, parts);
    attempt.succeeded();
    const { completion, origin } = value;
    if (completion.usage === undefined) meter.gave(attempt.candidate.target, tokensOf(completion));
    log.finished(completion.choices.map(({ finishReason }) => finishReason));
    if (request.options?.includeReasoning === false) hideReasoning(completion);
    noteAnswer(log, completion);
    const response = blankCreateChatCompletionResponse();
    response.completion = completion;
    response.report = new Reporter(log, attempt, origin).last(completion);
    return response;
  } finally {
    meter.settle();
  }
}

const tokensOf = ({ choices }: ChatCompletion): number =>
  weigh(choices.flatMap(({ message }) => (message === undefined ? [] : [message]))).tokens;

/** An answer in one piece, and what its provider calls it. */
interface Whole {
  readonly completion: ChatCompletion;
  readonly origin: Origin;
}

const WHOLE: AnswerKind<Whole> = { ask: complete, discard: () => undefined };

async function complete(attempt: Attempt, { prepared }: SearchParts): Promise<Whole> {
  const whole = await attempt.plan.complete(attempt.signal, attempt.options);
  const { id, model } = whole;
  const identity = createIdentity(attempt.candidate.answersAs);
  const completion = settleCompletion(whole, identity, prepared.demand.choices);
  attempt.outputCame();
  return { completion, origin: { id, model } };
}
