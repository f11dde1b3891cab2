import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ChatCompletionChunk,
  ChatCompletionChunkSchema,
  type ChunkChoiceSchema,
  type DeltaSchema,
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

type Delta = MessageInitShape<typeof DeltaSchema>;
type ChunkChoice = MessageInitShape<typeof ChunkChoiceSchema>;

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
    const delta: Delta = calls.length > 0 ? { role: Role.ASSISTANT } : { role: Role.ASSISTANT, content: "" };
    yield { chunk: createChunk({ index, delta }), tokens: 0 };
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
  const said = (delta: Delta, tokens = 1): StreamPiece => ({ chunk: createChunk({ index, delta }), tokens });
  for (const piece of answer.reasoning.pieces) yield said({ reasoningContent: piece.text }, tokensIn([piece]));
  let at = 0;
  for (const piece of answer.content.pieces) {
    const tokens = tokensIn([piece]);
    const next = said({ content: piece.text }, tokens);
    const [choice] = next.chunk.choices;
    if (logprobs !== undefined && choice !== undefined) choice.logprobs = createLogprobs([piece], logprobs, at);
    at += tokens;
    yield next;
  }
  for (const [place, call] of answer.calls.entries()) {
    yield said(callOpening(call, place), countTokens(call.name));
    for (const piece of call.input.pieces) yield said(callInput(call, place, piece.text), tokensIn([piece]));
  }
  yield { chunk: createChunk({ index, delta: {}, finishReason: answer.finishReason }), tokens: 0 };
}

/** The first piece of a call: who is called. */
function callOpening({ kind, id, name }: AnswerCall, index: number): Delta {
  switch (kind) {
    case "legacy":
      return { functionCall: { name, arguments: "" } };
    case "function":
      return { toolCalls: [{ index, id, type: ToolCallDelta_Type.FUNCTION, function: { name, arguments: "" } }] };
    case "custom":
      return { toolCalls: [{ index, id, type: ToolCallDelta_Type.CUSTOM, custom: { name, input: "" } }] };
  }
}

/** More of a call's input. */
function callInput({ kind }: AnswerCall, index: number, text: string): Delta {
  switch (kind) {
    case "legacy":
      return { functionCall: { arguments: text } };
    case "function":
      return { toolCalls: [{ index, function: { arguments: text } }] };
    case "custom":
      return { toolCalls: [{ index, custom: { input: text } }] };
  }
}

const createChunk = (...choices: ChunkChoice[]): ChatCompletionChunk =>
  create(ChatCompletionChunkSchema, { choices, serviceTier: ServiceTier.DEFAULT, systemFingerprint: FINGERPRINT });

/** Whether a chunk ends a choice. */
export const isEnd = ({ choices }: ChatCompletionChunk): boolean =>
  choices.some(({ finishReason }) => finishReason !== FinishReason.UNSPECIFIED);
