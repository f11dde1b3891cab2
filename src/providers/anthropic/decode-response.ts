import { create, type JsonObject, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import { type ChatCompletion, ChatCompletionSchema } from "../../gen/parley/chat/v1/completion_pb.ts";
import {
  type Annotation,
  type MessageSchema,
  type ReasoningDetail,
  ReasoningDetail_Type,
  ReasoningDetailSchema,
  Role,
} from "../../gen/parley/chat/v1/message_pb.ts";
import type { ToolCallSchema } from "../../gen/parley/chat/v1/tool_pb.ts";
import { isDeeperThan } from "../../lib/json-depth.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { parseLossless } from "../../openai-json/lossless-json.ts";
import { severalCalls } from "../legacy-form.ts";
import type { Chance } from "../provider.ts";
import { isPortableId } from "../tool-ids.ts";
import { invalidResponse, parseUpstream } from "../upstream-error.ts";
import { stringifyWellFormed } from "../well-formed-json.ts";
import type { AnswerPlan } from "./answer-plan.ts";
import { annotationsOf, countCharacters } from "./citations.ts";
import { customInputOf } from "./custom-input.ts";
import { decodeInnerError, isError } from "./decode-error.ts";
import { FenceStripper } from "./fence.ts";
import { finishOf, refusalOf } from "./finish-reasons.ts";
import { FORMAT } from "./reasoning-format.ts";
import { UsageCount } from "./usage.ts";

/** What answers are read with. */
export interface Reading {
  /** Id of the provider, for errors. */
  readonly provider: string;
  readonly plan: AnswerPlan;
  readonly chance: Chance;
}

/** Most levels of an answer that is read. */
export const MAX_ANSWER_DEPTH = 200;

/** Makes an answer of a body. Throws UPSTREAM_INVALID_RESPONSE for one that is none, and the provider's error for one that is an error. */
export function decodeResponse(body: string, reading: Reading): ChatCompletion {
  const { provider, plan } = reading;
  const json = parseUpstream(provider, body);
  if (isError(json)) throw decodeInnerError(json, provider);
  const { content, stop_reason: reason, id, model } = json;
  if (!Array.isArray(content)) throw invalidResponse(provider, "an answer without content");
  if (typeof reason !== "string") throw invalidResponse(provider, "an answer without a reason for its end");
  const message = new Reader(reading);
  for (const block of readBlocks(content, body, provider)) message.add(block);
  const stop = { reason, sequence: json["stop_sequence"], details: json["stop_details"] };
  const usage = new UsageCount();
  usage.merge(json["usage"]);
  const total = usage.total();
  return create(ChatCompletionSchema, {
    ...(typeof id === "string" ? { id } : {}),
    ...(typeof model === "string" ? { model } : {}),
    choices: [{ index: 0, message: message.finish(refusalOf(stop)), ...finishOf(stop, message.calls, plan.isLegacy) }],
    ...(total === undefined ? {} : { usage: total }),
    serviceTier: usage.serviceTier,
  });
}

/** The blocks of an answer. Where there are calls, their numbers stay what they are. */
function readBlocks(content: readonly JsonValue[], body: string, provider: string): JsonObject[] {
  const blocks = content.filter(isObject);
  if (!blocks.some(({ type }) => type === "tool_use")) return blocks;
  if (isDeeperThan(body, MAX_ANSWER_DEPTH))
    throw invalidResponse(provider, `an answer that is nested deeper than ${MAX_ANSWER_DEPTH} levels`);
  return ((parseLossless(body) as JsonObject)["content"] as JsonValue[]).filter(isObject);
}

type MessageInit = MessageInitShape<typeof MessageSchema>;

/** Makes a message of blocks. */
class Reader {
  readonly #reading: Reading;
  readonly #fence: FenceStripper | undefined;
  readonly #toolCalls: MessageInitShape<typeof ToolCallSchema>[] = [];
  readonly #details: ReasoningDetail[] = [];
  readonly #annotations: Annotation[] = [];
  #functionCall: { name: string; arguments: string } | undefined;
  #isFirst = true;
  #content: string | undefined;
  #reasoning = "";

  constructor(reading: Reading) {
    this.#reading = reading;
    this.#fence = reading.plan.isFenced ? new FenceStripper() : undefined;
  }

  /** How many of the caller's tools are called. */
  get calls(): number {
    return this.#toolCalls.length + (this.#functionCall === undefined ? 0 : 1);
  }

  add(block: JsonObject): void {
    // As in a stream: an answer that opens with a text has one, be it empty.
    if (this.#isFirst && block["type"] === "text") this.#content = "";
    this.#isFirst = false;
    switch (block["type"]) {
      case "text":
        this.#addText(block);
        break;
      case "thinking":
        this.#addThought(block);
        break;
      case "redacted_thinking":
        this.#details.push(redactedDetail(textOf(block["data"]), this.#details.length));
        break;
      case "tool_use":
        this.#addCall(block);
        break;
      default:
      // What Anthropic's own tools did, and blocks of a newer version.
    }
  }

  finish(refusal: string | undefined): MessageInit {
    const rest = this.#fence?.finish() ?? "";
    if (rest !== "") this.#say(rest);
    // An answer that says nothing and calls nobody is an empty text.
    if (this.#content === undefined && this.calls === 0 && refusal === undefined) this.#content = "";
    return {
      role: Role.ASSISTANT,
      content: this.#content === undefined ? [] : [{ kind: { case: "text", value: this.#content } }],
      toolCalls: this.#toolCalls,
      ...(this.#functionCall === undefined ? {} : { functionCall: this.#functionCall }),
      ...(refusal === undefined ? {} : { refusal }),
      ...(this.#reasoning === "" ? {} : { reasoningContent: this.#reasoning }),
      reasoningDetails: this.#details,
      annotations: this.#annotations,
    };
  }

  #say(text: string): void {
    this.#content = (this.#content ?? "") + text;
  }

  #addText({ text, citations }: JsonObject): void {
    const start = this.#content?.length ?? 0;
    const said = textOf(text);
    const passed = this.#fence?.push(said) ?? said;
    if (passed !== "") this.#say(passed);
    if (!Array.isArray(citations) || citations.length === 0) return;
    const content = this.#content ?? "";
    const before = countCharacters(content.slice(0, start));
    this.#annotations.push(...annotationsOf(citations, before, before + countCharacters(content.slice(start))));
  }

  #addThought({ thinking, signature }: JsonObject): void {
    const text = textOf(thinking);
    this.#reasoning += text;
    const detail = thoughtDetail(text, textOf(signature), this.#details.length);
    if (detail !== undefined) this.#details.push(detail);
  }

  #addCall({ id, name, input }: JsonObject): void {
    const { plan, provider, chance } = this.#reading;
    if (typeof name !== "string" || name === "") throw invalidResponse(provider, "a call of a tool without a name");
    const args = stringifyWellFormed(input ?? {});
    if (name === plan.answerTool) {
      this.#say(args);
      return;
    }
    if (plan.isLegacy) {
      if (this.#functionCall !== undefined) throw severalCalls(provider);
      this.#functionCall = { name, arguments: args };
      return;
    }
    const callId = typeof id === "string" && isPortableId(id) ? id : chance.newCallId();
    const kind: MessageInitShape<typeof ToolCallSchema>["kind"] = plan.customTools.has(name)
      ? { case: "custom", value: { name, input: customInputOf(input) } }
      : { case: "function", value: { name, arguments: args } };
    this.#toolCalls.push({ id: callId, kind });
  }
}

const textOf = (value: JsonValue | undefined): string => (typeof value === "string" ? value.toWellFormed() : "");

/** A thought, as it must come back; undefined for one that has nothing in it. */
export function thoughtDetail(text: string, signature: string, index: number): ReasoningDetail | undefined {
  if (text === "" && signature === "") return undefined;
  return create(ReasoningDetailSchema, {
    type: ReasoningDetail_Type.TEXT,
    text,
    ...(signature === "" ? {} : { signature }),
    format: FORMAT,
    index,
  });
}

/** A thought that only Anthropic can read, as it must come back. */
export const redactedDetail = (data: string, index: number): ReasoningDetail =>
  create(ReasoningDetailSchema, { type: ReasoningDetail_Type.ENCRYPTED, data, format: FORMAT, index });
