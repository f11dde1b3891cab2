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
import { adjustmentsOf } from "./adjustments.ts";
import { type Answer, createAnswer } from "./answer.ts";
import { createCompletion } from "./completion.ts";
import { textOf } from "./conversation.ts";
import { FAULTS, TOKENS_BEFORE_FAULT } from "./faults.ts";
import { type Knobs, readKnobs } from "./knobs.ts";
import { CONTEXT_WINDOW, LISTED_MODELS, SANDBOX, SANDBOX_MODELS, type SandboxModel } from "./models.ts";
import { countPromptTokens } from "./prompt-tokens.ts";
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
      checkLength(params);
      const promptTokens = countPromptTokens(params);
      checkContext(promptTokens);
      return { adjustments: adjustmentsOf(params), promptTokens };
    },
    complete: (model, params, plan) => completionScript(modelOf(model), params, plan),
    stream: (model, params, plan) => streamScript(modelOf(model), params, plan, tokenDelayMs),
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
  const answers = createAnswers(model, params);
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
  let tokens = 0;
  for (const { chunk, isToken } of streamPieces(params, createAnswers(model, params), promptTokens)) {
    if (within !== undefined && (tokens === TOKENS_BEFORE_FAULT || isEnd(chunk))) {
      if (within !== "end") yield within;
      return;
    }
    if (isToken && tokens++ > 0 && delayMs > 0) yield { kind: "wait", ms: delayMs };
    yield { kind: "output", value: chunk };
  }
}

function* beforeOutput({ fault }: SandboxModel, knobs: Knobs): Generator<Step<never>> {
  if (fault !== "slow-start" && knobs.start_delay_ms !== undefined) yield { kind: "wait", ms: knobs.start_delay_ms };
  const before = fault && FAULTS[fault].before;
  if (before !== undefined) yield before(knobs);
}

const createAnswers = (model: SandboxModel, params: ChatCompletionParams): Answer[] =>
  Array.from({ length: params.n ?? 1 }, (_, index) => createAnswer(model, params, index));

function checkContext(promptTokens: number): void {
  if (promptTokens > CONTEXT_WINDOW) throw tooLong(`${promptTokens} tokens`);
}

/** Refuses what cannot fit before its tokens are counted, because counting 32 MB would hold up everybody for seconds. */
function checkLength({ messages }: ChatCompletionParams): void {
  let characters = 0;
  for (const message of messages) {
    characters += textOf(message).length;
    if (characters > MOST_CHARACTERS) throw tooLong(`more than ${MOST_CHARACTERS} characters`);
  }
}

/** Even of spaces, hardly more stand for one token. */
const MOST_CHARACTERS = 16 * CONTEXT_WINDOW;

const tooLong = (length: string): GatewayError =>
  new GatewayError(
    Reason.CONTEXT_LENGTH_EXCEEDED,
    `the messages have ${length}; the model's context has ${CONTEXT_WINDOW} tokens`,
    { param: "messages" },
  );
