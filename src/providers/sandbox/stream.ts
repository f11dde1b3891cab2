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
import { usageOf } from "./usage.ts";

type Delta = MessageInitShape<typeof DeltaSchema>;
type ChunkChoice = MessageInitShape<typeof ChunkChoiceSchema>;

/** A piece of a stream, and whether it is a token, so that it takes its time. */
export interface StreamPiece {
  readonly chunk: ChatCompletionChunk;
  readonly isToken: boolean;
}

/** The pieces of an answer: the roles, then the choices' tokens in turn, their ends, and the usage. */
export function* streamPieces(
  params: ChatCompletionParams,
  answers: readonly Answer[],
  promptTokens: number,
): Generator<StreamPiece> {
  for (const [index, { calls }] of answers.entries()) {
    const delta: Delta = calls.length > 0 ? { role: Role.ASSISTANT } : { role: Role.ASSISTANT, content: "" };
    yield { chunk: createChunk({ index, delta }), isToken: false };
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
  yield { chunk: usage, isToken: false };
}

function* choicePieces(answer: Answer, index: number, logprobs: number | undefined): Generator<StreamPiece> {
  const piece = (delta: Delta, isToken = true): StreamPiece => ({ chunk: createChunk({ index, delta }), isToken });
  for (const token of answer.reasoning) yield piece({ reasoningContent: token });
  for (const [at, token] of answer.content.entries()) {
    const next = piece({ content: token });
    const [choice] = next.chunk.choices;
    if (logprobs !== undefined && choice !== undefined) choice.logprobs = createLogprobs([token], logprobs, at);
    yield next;
  }
  for (const [at, call] of answer.calls.entries()) for (const delta of callDeltas(call, at)) yield piece(delta);
  yield { chunk: createChunk({ index, delta: {}, finishReason: answer.finishReason }), isToken: false };
}

/** The pieces of a call: who is called, then the input token by token. */
function* callDeltas({ kind, id, name, input }: AnswerCall, index: number): Generator<Delta> {
  switch (kind) {
    case "legacy":
      yield { functionCall: { name, arguments: "" } };
      for (const token of input) yield { functionCall: { arguments: token } };
      return;
    case "function":
      yield { toolCalls: [{ index, id, type: ToolCallDelta_Type.FUNCTION, function: { name, arguments: "" } }] };
      for (const token of input) yield { toolCalls: [{ index, function: { arguments: token } }] };
      return;
    case "custom":
      yield { toolCalls: [{ index, id, type: ToolCallDelta_Type.CUSTOM, custom: { name, input: "" } }] };
      for (const token of input) yield { toolCalls: [{ index, custom: { input: token } }] };
  }
}

const createChunk = (...choices: ChunkChoice[]): ChatCompletionChunk =>
  create(ChatCompletionChunkSchema, { choices, serviceTier: ServiceTier.DEFAULT, systemFingerprint: FINGERPRINT });

/** Whether a chunk ends a choice. */
export const isEnd = ({ choices }: ChatCompletionChunk): boolean =>
  choices.some(({ finishReason }) => finishReason !== FinishReason.UNSPECIFIED);
