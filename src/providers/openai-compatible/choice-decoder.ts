import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { blankChunkChoice, blankDelta } from "../../gen/parley/chat/v1/blanks.ts";
import {
  type ChunkChoice,
  ChunkChoiceSchema,
  type Delta,
  DeltaSchema,
  FinishReason,
  type ToolCallDelta,
} from "../../gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../gen/parley/chat/v1/message_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { severalCalls } from "../legacy-form.ts";
import type { Chance } from "../provider.ts";
import { invalidResponse } from "../upstream-error.ts";
import { WholeCharacters } from "../whole-characters.ts";
import { CallTracker } from "./call-tracker.ts";
import { type Answer, readAnswer } from "./decode-answer.ts";
import { decodeRest, restOf } from "./decode-rest.ts";
import { type Asked, mapFinishReason } from "./finish-reasons.ts";
import { callInLegacyForm } from "./legacy-answer.ts";
import { LegacyCall } from "./legacy-call.ts";
import { CHOICE_NOISE } from "./noise.ts";
import { ThinkSplitter } from "./think-splitter.ts";

/** What answers are decoded with. */
export interface DecodeContext {
  /** Id of the provider, for errors. */
  readonly provider: string;
  readonly genuine: boolean;
  readonly thinkTags: boolean;
  /** Whether functions of the legacy form went as tools, and calls are to be told in that form. */
  readonly isLegacy: boolean;
  readonly chance: Chance;
  /** How many choices were asked for. */
  readonly choices: number;
}

const KNOWN: ReadonlySet<string> = new Set(["index", "delta", "message", "finish_reason", ...CHOICE_NOISE]);

const TEXT_ALONE: Answer = {
  text: "",
  hasText: true,
  reasoning: "",
  refusal: "",
  calls: [],
  functionCall: undefined,
  rest: undefined,
};

/** Whether a choice of a stream has a text in its delta, and says nothing else. */
export function hasTextAlone(json: JsonObject): boolean {
  const { finish_reason: finish, delta } = json;
  if ((typeof finish === "string" && finish !== "") || !isObject(delta) || restOf(json, KNOWN) !== undefined)
    return false;
  const { text, reasoning, refusal, calls, functionCall, rest } = readAnswer(delta);
  const isMore =
    reasoning !== "" || refusal !== "" || calls.length > 0 || functionCall !== undefined || rest !== undefined;
  return text !== "" && !isMore;
}

/** Decodes one choice, whole or piece by piece. Its end is held back until the answer's. */
export class ChoiceDecoder {
  readonly index: number;
  readonly #context: DecodeContext;
  readonly #splitter: ThinkSplitter | undefined;
  readonly #text = new WholeCharacters();
  readonly #reasoning = new WholeCharacters();
  readonly #refusal = new WholeCharacters();
  /** Made for the first call. */
  #calls: CallTracker | undefined;
  #legacy: LegacyCall | undefined;
  #isOpened = false;
  #hasContent = false;
  /** The first reason that says something. */
  #finish: string | undefined;
  /** How many annotations and images came. */
  #annotations = 0;
  #images = 0;
  /** How many elements of lists that Parley does not know came. */
  #lists = 0;

  constructor(index: number, context: DecodeContext) {
    this.index = index;
    this.#context = context;
    if (context.thinkTags) this.#splitter = new ThinkSplitter();
  }

  /** Whether the server said why it ended. */
  get isFinished(): boolean {
    return this.#finish !== undefined;
  }

  /** Whether it has anything that an answer can end after. */
  get hasContent(): boolean {
    return this.#hasContent;
  }

  /** Takes what is new, or a whole choice, and returns it: texts first, tool calls apart. */
  push(json: JsonObject, isWhole: boolean): ChunkChoice[] {
    const { finish_reason: finish, delta, message } = json;
    // In a stream, some servers send an empty one until the end.
    if (typeof finish === "string" && (finish !== "" || isWhole)) this.#finish ??= finish;
    const said = isWhole ? (message ?? delta) : (delta ?? (this.#hasContent ? undefined : message));
    const answer = isObject(said) ? readAnswer(said) : undefined;
    const news = this.#news(answer, restOf(json, KNOWN), isWhole);
    const choices = news === undefined ? [] : [news];
    if (answer !== undefined && answer.calls.length > 0) {
      this.#calls ??= new CallTracker(this.#context.chance);
      const calls = this.#calls.push(answer.calls, isWhole);
      if (calls.length > 0) {
        this.#hasContent = true;
        choices.push(this.#choice(this.#callsIn(calls)));
      }
    }
    return choices;
  }

  /** Takes the text of a choice that has a text alone, and returns what is new in it. */
  pushText(text: string): ChunkChoice | undefined {
    return this.#news({ ...TEXT_ALONE, text }, undefined, false);
  }

  /** The end: what was held back, if there is anything, and the finish. */
  finish(): { readonly last: ChunkChoice | undefined; readonly finish: ChunkChoice } {
    const split = this.#splitter?.finish();
    const delta = blankDelta();
    setText(delta, "content", this.#text.push(split?.text ?? "") + this.#text.finish());
    setText(delta, "reasoningContent", this.#reasoning.push(split?.reasoning ?? "") + this.#reasoning.finish());
    setText(delta, "refusal", this.#refusal.finish());
    const legacy = this.#legacy?.finish();
    if (legacy !== undefined) delta.functionCall = legacy;
    const calls = this.#calls?.finish(() => {
      throw invalidResponse(this.#context.provider, "a tool call without a name");
    });
    if (calls !== undefined) Object.assign(delta, this.#callsIn(calls));
    const isEmpty = Object.keys(delta).every((key) => key === "$typeName" || isNothing(delta[key as keyof Delta]));
    const asked = this.#asked();
    const end = mapFinishReason(this.#finish ?? "", asked, this.#context.genuine && this.#finish !== undefined);
    const finish = blankChunkChoice();
    finish.index = this.index;
    finish.delta = blankDelta();
    finish.finishReason = end.finishReason;
    if (end.nativeFinishReason !== undefined) finish.nativeFinishReason = end.nativeFinishReason;
    return { last: isEmpty && this.#isOpened ? undefined : this.#choice(delta), finish };
  }

  /** News of tool calls in the caller's form. */
  #callsIn(news: ToolCallDelta[]): Partial<Delta> {
    const { isLegacy, provider } = this.#context;
    if (news.length === 0) return {};
    if (!isLegacy) return { toolCalls: news };
    return { functionCall: callInLegacyForm(news, provider) };
  }

  /** What was asked for. A server may have called in either form, but not in both where there is room for one call. */
  #asked(): Asked {
    const calls = this.#calls?.isEmpty === false;
    const legacyCall = this.#legacy?.hasBegun === true;
    const { isLegacy, provider } = this.#context;
    if (!isLegacy) return { calls, legacyCall };
    if (calls && legacyCall) throw severalCalls(provider);
    return { calls: false, legacyCall: calls || legacyCall };
  }

  /** Texts and decoration; undefined where there is nothing to say. */
  #news(answer: Answer | undefined, rest: JsonObject | undefined, isWhole: boolean): ChunkChoice | undefined {
    const content = answer?.rest;
    const delta = decodeRest(DeltaSchema, blankDelta, content);
    let hasNews = rest !== undefined || content !== undefined;
    if (answer !== undefined) {
      const split = this.#splitter?.push(answer.text);
      const text = this.#text.push(split?.text ?? answer.text);
      const reasoning = this.#reasoning.push(answer.reasoning + (split?.reasoning ?? ""));
      const refusal = this.#refusal.push(answer.refusal);
      if (text !== "" || (isWhole && answer.hasText)) delta.content = text;
      if (reasoning !== "") delta.reasoningContent = reasoning;
      if (refusal !== "") delta.refusal = refusal;
      const legacy = answer.functionCall === undefined ? undefined : this.#legacyCall().push(answer.functionCall);
      if (legacy !== undefined) delta.functionCall = legacy;
      hasNews ||= text !== "" || reasoning !== "" || refusal !== "" || legacy !== undefined;
      this.#hasContent ||= text !== "" || refusal !== "" || legacy !== undefined;
    }
    if (content !== undefined) this.#number(delta, isWhole);
    if (!hasNews && this.#isOpened && !isWhole) return undefined;
    const choice = decodeRest(ChunkChoiceSchema, blankChunkChoice, rest);
    choice.index = this.index;
    choice.delta = delta;
    // The codec reads the finish by its own words; it is sent apart.
    choice.finishReason = FinishReason.UNSPECIFIED;
    this.#open(delta);
    return choice;
  }

  #legacyCall(): LegacyCall {
    this.#legacy ??= new LegacyCall();
    return this.#legacy;
  }

  /** Numbers what clients put together by its number, and does away with what says nothing. */
  #number(delta: Delta, isWhole: boolean): void {
    delta.annotations = delta.annotations.filter(({ kind }) => kind.case !== undefined);
    for (const annotation of delta.annotations) annotation.index = this.#annotations++;
    for (const image of delta.images) image.index = this.#images++;
    this.#hasContent ||= delta.images.length > 0 || delta.audio !== undefined;
    if (delta.extra !== undefined && !isWhole) delta.extra = this.#numberLists(delta.extra);
  }

  /** Lists that Parley does not know: OpenAI's package for Python takes those only whose elements have a number. */
  #numberLists(extra: JsonObject): JsonObject {
    const numbered = Object.entries(extra).map(([key, value]): [string, JsonValue] => {
      if (!Array.isArray(value)) return [key, value];
      const objects = value.map((element): JsonObject => (isObject(element) ? element : { value: element }));
      return [key, objects.map((element) => ({ index: this.#lists++, ...element }))];
    });
    return Object.fromEntries(numbered);
  }

  #open(delta: Delta): void {
    if (!this.#isOpened) delta.role = Role.ASSISTANT;
    this.#isOpened = true;
  }

  #choice(fields: Partial<Delta>): ChunkChoice {
    const choice = blankChunkChoice();
    choice.index = this.index;
    choice.delta = Object.assign(blankDelta(), fields);
    this.#open(choice.delta);
    return choice;
  }
}

function setText(delta: Delta, field: "content" | "reasoningContent" | "refusal", text: string): void {
  if (text !== "") delta[field] = text;
}

const isNothing = (value: unknown): boolean =>
  value === undefined || value === 0 || (Array.isArray(value) && value.length === 0);
