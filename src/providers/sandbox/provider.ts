/**
 * The sandbox: a provider without a network and without a key, so that everything else can be tried. It answers for real: it
 * converses, calls tools, keeps to schemas and limits, and counts tokens; the same call has the same answer. And it fails on
 * request, in every way that providers do.
 */
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ChatCompletion, ChatCompletionChunk } from "../../gen/parley/chat/v1/completion_pb.ts";
import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import type { ScriptedPlan, ScriptedProvider, Step } from "../script.ts";
import { ABILITIES } from "./abilities.ts";
import { adjustmentsOf } from "./adjustments.ts";
import { type Answer, createAnswerMaker } from "./answer.ts";
import { createCompletion } from "./completion.ts";
import { FAULTS, TOKENS_BEFORE_FAULT } from "./faults.ts";
import { type Knobs, readKnobs } from "./knobs.ts";
import { CONTEXT_WINDOW, LISTED_MODELS, SANDBOX, SANDBOX_MODELS, type SandboxModel } from "./models.ts";
import { readPrompt } from "./prompt-tokens.ts";
import { isEnd, streamPieces } from "./stream.ts";

/** How the sandbox behaves unless a call says otherwise. */
export interface SandboxOptions {
  /** Time between two tokens of a stream, in milliseconds. */
  readonly tokenDelayMs: number;
}

/** Makes the sandbox. */
export function createSandbox({ tokenDelayMs }: SandboxOptions): ScriptedProvider {
  const byId = new Map(SANDBOX_MODELS.map((model) => [model.id, model]));
  const modelOf = (id: string): SandboxModel => byId.get(id) as SandboxModel;
  return {
    id: SANDBOX,
    models: () => LISTED_MODELS,
    has: (model) => byId.has(model),
    plan(_model, params) {
      readKnobs(params);
      const promptTokens = countPrompt(params);
      return { adjustments: adjustmentsOf(params), promptTokens };
    },
    complete: (model, params, plan) => completionScript(modelOf(model), params, plan),
    stream: (model, params, plan) => streamScript(modelOf(model), params, plan, tokenDelayMs),
    abilitiesOf: () => ABILITIES,
  };
}

function* completionScript(
  model: SandboxModel,
  params: ChatCompletionParams,
  { promptTokens }: ScriptedPlan,
): Generator<Step<ChatCompletion>> {
  const knobs = readKnobs(params);
  yield* beforeOutput(model, knobs);
  const within = model.fault && FAULTS[model.fault].within;
  if (within === "end") return;
  if (within !== undefined) yield within;
  const answers = yield* createAnswers(model, params);
  checkLogprobs(params, answers);
  const completion = createCompletion(params, answers, promptTokens);
  const delayMs = knobs.token_delay_ms ?? 0;
  if (delayMs > 0) yield { kind: "wait", ms: delayMs * (completion.usage?.completionTokens ?? 0) };
  yield { kind: "output", value: completion };
}

function* streamScript(
  model: SandboxModel,
  params: ChatCompletionParams,
  { promptTokens }: ScriptedPlan,
  tokenDelayMs: number,
): Generator<Step<ChatCompletionChunk>> {
  const knobs = readKnobs(params);
  const delayMs = knobs.token_delay_ms ?? tokenDelayMs;
  yield* beforeOutput(model, knobs);
  const within = model.fault && FAULTS[model.fault].within;
  const answers = yield* createAnswers(model, params);
  let pieces = 0;
  for (const { chunk, tokens } of streamPieces(params, answers, promptTokens)) {
    if (within !== undefined && (pieces === TOKENS_BEFORE_FAULT || isEnd(chunk))) {
      if (within !== "end") yield within;
      return;
    }
    if (tokens > 0 && pieces++ > 0 && delayMs > 0) yield { kind: "wait", ms: delayMs * tokens };
    yield { kind: "output", value: chunk };
  }
}

/** Makes all choices, one at a time. */
function* createAnswers(model: SandboxModel, params: ChatCompletionParams): Generator<Step<never>, Answer[]> {
  const createAnswer = createAnswerMaker(model, params);
  const answers = [createAnswer(0)];
  for (let index = 1; index < (params.n ?? 1); index++) {
    yield { kind: "pause" };
    answers.push(createAnswer(index));
  }
  return answers;
}

/** Most log probabilities of a whole answer: twice what the longest one choice has. */
const MOST_LOGPROBS = 200_000;

/** Refuses a whole answer that would take gigabytes; in a stream, its log probabilities come and go. */
function checkLogprobs({ logprobs, topLogprobs = 0 }: ChatCompletionParams, answers: readonly Answer[]): void {
  if (logprobs !== true) return;
  const count = answers.reduce((sum, { content }) => sum + content.tokens, 0) * (1 + topLogprobs);
  if (count <= MOST_LOGPROBS) return;
  throw new GatewayError(
    Reason.UNSUPPORTED_VALUE,
    `top_logprobs: the answer would have ${count} log probabilities; in one piece it has at most ${MOST_LOGPROBS}, so stream it`,
    { param: "top_logprobs" },
  );
}

function* beforeOutput({ fault }: SandboxModel, knobs: Knobs): Generator<Step<never>> {
  if (fault !== "slow-start" && knobs.start_delay_ms !== undefined) yield { kind: "wait", ms: knobs.start_delay_ms };
  const before = fault && FAULTS[fault].before;
  if (before !== undefined) yield before(knobs);
}

/** The tokens of the prompt. Refuses one that does not fit, and counts none that cannot: 32 MB would hold up everybody for seconds. */
function countPrompt(params: ChatCompletionParams): number {
  const prompt = readPrompt(params);
  if (prompt.characters > MOST_CHARACTERS) throw tooLong(`more than ${MOST_CHARACTERS} characters`);
  const tokens = prompt.count();
  if (tokens > CONTEXT_WINDOW) throw tooLong(`${tokens} tokens`);
  return tokens;
}

/** Even of spaces, hardly more stand for one token. */
const MOST_CHARACTERS = 16 * CONTEXT_WINDOW;

const tooLong = (length: string): GatewayError =>
  new GatewayError(
    Reason.CONTEXT_LENGTH_EXCEEDED,
    `the messages and tools have ${length}; the model's context has ${CONTEXT_WINDOW} tokens`,
    { param: "messages" },
  );
