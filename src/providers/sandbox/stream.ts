import { create } from "@bufbuild/protobuf";
import { blankChatCompletionChunk, blankChunkChoice, blankDelta } from "../../gen/parley/chat/v1/blanks.ts";
import {
  type ChatCompletionChunk,
  type ChunkChoice,
  type Delta,
  DeltaSchema,
  FinishReason,
  ServiceTier,
  ToolCallDelta_Type,
} from "../../gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../gen/parley/chat/v1/message_pb.ts";
import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import type { Answer, AnswerCall } from "./answer.ts";
import { FINGERPRINT } from "./fingerprint.ts";
import { createLogprobs } from "./logprobs.ts";
import { countTokens, tokensIn } from "./tokens/tokens.ts";
import { usageOf } from "./usage.ts";

/** A piece of a stream, and how many tokens it is: each takes its time. */
export interface StreamPiece {
  readonly chunk: ChatCompletionChunk;
  readonly tokens: number;
}

/** The pieces of an answer: the roles, then the choices' tokens in turn, their ends, and the usage. */
export function* streamPieces(
  params: ChatCompletionParams,
  answers: readonly Answer[],
  promptTokens: number,
): Generator<StreamPiece> {
  for (const [index, { calls }] of answers.entries()) {
    const delta = calls.length > 0 ? blankDelta() : contentDelta("");
    delta.role = Role.ASSISTANT;
    yield { chunk: createChunk(createChoice(index, delta)), tokens: 0 };
  }
  const logprobs = params.logprobs === true ? (params.topLogprobs ?? 0) : undefined;
  let running = answers.map((answer, index) => choicePieces(answer, index, logprobs));
  while (running.length > 0) {
    const still: typeof running = [];
    for (const pieces of running) {
      const next = pieces.next();
      if (next.done === true) continue;
      still.push(pieces);
      yield next.value;
    }
    running = still;
  }
  const usage = createChunk();
  usage.usage = usageOf(promptTokens, answers);
  yield { chunk: usage, tokens: 0 };
}

function* choicePieces(answer: Answer, index: number, logprobs: number | undefined): Generator<StreamPiece> {
  const said = (delta: Delta, tokens = 1): StreamPiece => ({ chunk: createChunk(createChoice(index, delta)), tokens });
  for (const piece of answer.reasoning.pieces) yield said(reasoningDelta(piece.text), tokensIn([piece]));
  let at = 0;
  for (const piece of answer.content.pieces) {
    const tokens = tokensIn([piece]);
    const choice = createChoice(index, contentDelta(piece.text));
    if (logprobs !== undefined) choice.logprobs = createLogprobs([piece], logprobs, at);
    at += tokens;
    yield { chunk: createChunk(choice), tokens };
  }
  for (const [place, call] of answer.calls.entries()) {
    yield said(callOpening(call, place), countTokens(call.name));
    for (const piece of call.input.pieces) yield said(callInput(call, place, piece.text), tokensIn([piece]));
  }
  const end = createChoice(index, blankDelta());
  end.finishReason = answer.finishReason;
  yield { chunk: createChunk(end), tokens: 0 };
}

function contentDelta(content: string): Delta {
  const delta = blankDelta();
  delta.content = content;
  return delta;
}

function reasoningDelta(reasoningContent: string): Delta {
  const delta = blankDelta();
  delta.reasoningContent = reasoningContent;
  return delta;
}

/** The first piece of a call: who is called. */
function callOpening({ kind, id, name }: AnswerCall, index: number): Delta {
  const { FUNCTION, CUSTOM } = ToolCallDelta_Type;
  switch (kind) {
    case "legacy":
      return create(DeltaSchema, { functionCall: { name, arguments: "" } });
    case "function":
      return create(DeltaSchema, { toolCalls: [{ index, id, type: FUNCTION, function: { name, arguments: "" } }] });
    case "custom":
      return create(DeltaSchema, { toolCalls: [{ index, id, type: CUSTOM, custom: { name, input: "" } }] });
  }
}

/** More of a call's input. */
function callInput({ kind }: AnswerCall, index: number, text: string): Delta {
  switch (kind) {
    case "legacy":
      return create(DeltaSchema, { functionCall: { arguments: text } });
    case "function":
      return create(DeltaSchema, { toolCalls: [{ index, function: { arguments: text } }] });
    case "custom":
      return create(DeltaSchema, { toolCalls: [{ index, custom: { input: text } }] });
  }
}

function createChoice(index: number, delta: Delta): ChunkChoice {
  const choice = blankChunkChoice();
  choice.index = index;
  choice.delta = delta;
  return choice;
}

function createChunk(...choices: ChunkChoice[]): ChatCompletionChunk {
  const chunk = blankChatCompletionChunk();
  chunk.choices = choices;
  chunk.serviceTier = ServiceTier.DEFAULT;
  chunk.systemFingerprint = FINGERPRINT;
  return chunk;
}

/** Whether a chunk ends a choice. */
export const isEnd = ({ choices }: ChatCompletionChunk): boolean =>
  choices.some(({ finishReason }) => finishReason !== FinishReason.UNSPECIFIED);
