import { blankCreateChatCompletionResponse } from "../gen/parley/chat/v1/blanks.ts";
import {
  type CreateChatCompletionRequest,
  CreateChatCompletionRequestSchema,
  type CreateChatCompletionResponse,
} from "../gen/parley/chat/v1/chat_service_pb.ts";
import type { ChatCompletion } from "../gen/parley/chat/v1/completion_pb.ts";
import { weigh } from "../routing/demand.ts";
import type { CallScope } from "./call-scope.ts";
import { noteAnswer, noteAsked } from "./content.ts";
import { type AnswerKind, findAnswer } from "./find-answer.ts";
import { createIdentity } from "./identity.ts";
import { beginCall, type Meter } from "./meter.ts";
import type { Origin } from "./open-stream.ts";
import { hideReasoning } from "./reasoning.ts";
import { Reporter } from "./report.ts";
import { type Serving, searchOptions } from "./serving.ts";
import { settleCompletion } from "./settle-completion.ts";
import { failed } from "./settled.ts";

/** Answers a request in one piece. */
export async function createChat(
  request: CreateChatCompletionRequest,
  serving: Serving,
): Promise<CreateChatCompletionResponse> {
  const { call, options, open } = serving;
  const { log } = call;
  let scope: CallScope | undefined;
  let meter: Meter | undefined;
  try {
    scope = open(call);
    scope.throwIfEnded();
    noteAsked(call, request.params);
    const beginning = beginCall(CreateChatCompletionRequestSchema, request, false, serving);
    // Mostly nobody has to be waited for.
    const begun = beginning instanceof Promise ? await beginning : beginning;
    meter = begun.meter;
    const parts = { prepared: begun.prepared, scope, log, options: searchOptions(options, request.options) };
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
  } catch (thrown) {
    throw failed(call, thrown);
  } finally {
    meter?.settle();
    scope?.close();
  }
}

const tokensOf = ({ choices }: ChatCompletion): number =>
  weigh(choices.flatMap(({ message }) => (message === undefined ? [] : [message]))).tokens;

/** An answer in one piece, and what its provider calls it. */
interface Whole {
  readonly completion: ChatCompletion;
  readonly origin: Origin;
}

const WHOLE: AnswerKind<ChatCompletion, Whole> = {
  ask: (plan, { signal, options }) => plan.complete(signal, options),
  take(answered, attempt, { prepared }) {
    const { id, model } = answered;
    const identity = createIdentity(attempt.candidate.answersAs);
    const completion = settleCompletion(answered, identity, prepared.demand.choices);
    attempt.outputCame();
    return { completion, origin: { id, model } };
  },
  discard: () => undefined,
};
