import { GatewayError } from "../../errors/gateway-error.ts";
import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import { mapped } from "../adjustment.ts";
import { unsupportedValue } from "../parameter-table.ts";
import { type AssistantTurn, type Result, readConversation, type Part as SourcePart, type Turn } from "../turns.ts";
import { argsOf, responseOf } from "./arguments.ts";
import type { Capabilities } from "./capabilities.ts";
import type { PartEncoder } from "./encode-parts.ts";
import { imageId, LOST_SIGNATURE, signatureOfCall, signaturesIn, THOUGHT_ID } from "./signatures.ts";
import type { ToolNames } from "./tool-names.ts";
import type { Content, Part } from "./wire.ts";

/** The conversation of a request, as Gemini has it. */
export interface EncodedContents {
  /** Instructions apart from the conversation; empty for none. */
  readonly instructions: Part[];
  readonly contents: Content[];
}

/** Ids that Gemini gives to calls; only those go back to it. Ids that clients or other providers made mean nothing to it. */
const OWN_ID = /^[a-z0-9]{8}$/;

/** Says the messages of a request in Gemini's terms. Throws INVALID_VALUE where nothing is left to say. */
export function encodeContents(
  params: ChatCompletionParams,
  capabilities: Capabilities,
  encoder: PartEncoder,
  names: ToolNames,
  adjustments: Adjustment[],
): EncodedContents {
  const conversation = readConversation(params);
  adjustments.push(...conversation.adjustments);
  const writer = new ContentWriter(capabilities, encoder, names, adjustments, startOfRunningTurn(conversation.turns));
  for (const [at, turn] of conversation.turns.entries()) writer.write(turn, at);
  return writer.finish();
}

/** Index of the last turn of the user: the calls after it are of the turn that is still running. */
const startOfRunningTurn = (turns: readonly Turn[]): number => turns.findLastIndex(({ kind }) => kind === "user");

class ContentWriter {
  readonly #capabilities: Capabilities;
  readonly #encoder: PartEncoder;
  readonly #names: ToolNames;
  readonly #adjustments: Adjustment[];
  readonly #running: number;
  readonly #instructions: Part[] = [];
  readonly #contents: Content[] = [];
  /** Contents with results; nothing is joined to them, since Gemini counts their parts. */
  readonly #results = new Set<Content>();

  constructor(
    capabilities: Capabilities,
    encoder: PartEncoder,
    names: ToolNames,
    adjustments: Adjustment[],
    running: number,
  ) {
    this.#capabilities = capabilities;
    this.#encoder = encoder;
    this.#names = names;
    this.#adjustments = adjustments;
    this.#running = running;
  }

  write(turn: Turn, at: number): void {
    switch (turn.kind) {
      case "system":
        this.#instruct(turn.parts, turn.index);
        break;
      case "user":
        this.#say(
          "user",
          turn.parts.map((part) => this.#encoder.encode(part)),
        );
        break;
      case "assistant":
        this.#say("model", this.#assistantParts(turn, at > this.#running));
        break;
      case "results":
        this.#answer(turn.results);
        break;
      default:
        turn satisfies never;
    }
  }

  finish(): EncodedContents {
    if (!this.#capabilities.systemInstruction && this.#instructions.length > 0) this.#prefixInstructions();
    if (this.#contents.length === 0) {
      throw new GatewayError(Reason.INVALID_VALUE, "messages: Gemini wants something said besides instructions", {
        param: "messages",
      });
    }
    return { instructions: this.#instructions, contents: this.#contents };
  }

  #instruct(parts: readonly SourcePart[], index: number): void {
    if (this.#contents.length > 0 && parts.length > 0)
      this.#adjustments.push(
        mapped(`messages[${index}]`, "Gemini takes instructions before the conversation only", "in place", "before it"),
      );
    for (const part of parts) {
      if (part.part.kind.case !== "text") throw unsupportedValue(part.path, "Gemini takes only text as instructions");
      this.#instructions.push(this.#encoder.encode(part));
    }
  }

  /** Puts the instructions before the first text of the user. */
  #prefixInstructions(): void {
    const text = this.#instructions
      .splice(0)
      .map((part) => part.text)
      .join("\n");
    this.#adjustments.push(
      mapped("messages", "the model takes no instructions apart from the conversation", "system", "user"),
    );
    const isUsers = (content: Content): boolean => content.role === "user" && !this.#results.has(content);
    const first = this.#contents.find(isUsers);
    const said = first?.parts.find((part) => part.text !== undefined);
    if (said !== undefined) said.text = `${text}\n\n${said.text}`;
    else if (first !== undefined) first.parts.unshift({ text });
    else this.#contents.unshift({ role: "user", parts: [{ text }] });
  }

  #say(role: Content["role"], parts: Part[]): void {
    if (parts.length === 0) return;
    const last = this.#contents.at(-1);
    if (last?.role === role && !this.#results.has(last)) last.parts.push(...parts);
    else this.#contents.push({ role, parts });
  }

  #assistantParts(turn: AssistantTurn, isRunning: boolean): Part[] {
    const { calls, message, index } = turn;
    const signatures = signaturesIn(turn);
    const thought = signatures.get(THOUGHT_ID);
    const texts = turn.parts.map((part) => this.#encoder.encode(part));
    const parts =
      thought === undefined
        ? texts
        : [{ text: turn.reasoningContent ?? "", thought: true, thoughtSignature: thought }, ...texts];
    const signature = signatures.get(undefined);
    if (signature !== undefined) {
      const text = texts.findLast((part) => part.text !== undefined);
      if (text === undefined) parts.push({ text: "", thoughtSignature: signature });
      else text.thoughtSignature = signature;
    }
    for (const [at, { imageUrl }] of message.images.entries()) {
      const path = `messages[${index}].images[${at}].image_url.url`;
      const part = this.#encoder.medium({ kind: "image", path, name: undefined, text: imageUrl?.url ?? "" });
      const its = signatures.get(imageId(at));
      parts.push(its === undefined ? part : { ...part, thoughtSignature: its });
    }
    for (const [at, call] of calls.entries()) {
      const its = signatureOfCall(call, signatures) ?? (at === 0 ? this.#lostSignature(index, isRunning) : undefined);
      parts.push({
        functionCall: {
          ...ownId(call.id),
          name: this.#names.toWire(call.name),
          args: argsOf(call, this.#adjustments),
        },
        ...(its === undefined ? {} : { thoughtSignature: its }),
      });
    }
    return parts;
  }

  /** What stands in for a lost signature of a step. It is reported where the model would miss it. */
  #lostSignature(index: number, isRunning: boolean): string | undefined {
    if (!this.#capabilities.signaturesRequired) return undefined;
    if (isRunning)
      this.#adjustments.push(
        mapped(
          `messages[${index}].tool_calls[0].extra_content`,
          "the signature of the call's thought is lost, and the model goes on without the thought",
          "lost",
          LOST_SIGNATURE,
        ),
      );
    return LOST_SIGNATURE;
  }

  /** Results are a content of their own, one for each call. Media that the model does not take in them follow in another. */
  #answer(results: readonly Result[]): void {
    const content: Content = { role: "user", parts: [] };
    const after: Part[] = [];
    for (const result of results) {
      const media = result.parts.filter(({ part }) => part.kind.case !== "text");
      const encoded = media.map((part) => this.#encoder.encode(part));
      const blobs = encoded.flatMap(({ inlineData }) => (inlineData === undefined ? [] : [{ inlineData }]));
      const isInside = this.#capabilities.mediaInResults && blobs.length === encoded.length;
      content.parts.push({
        functionResponse: {
          ...ownId(result.call.id),
          name: this.#names.toWire(result.call.name),
          response: responseOf(result),
          ...(isInside && blobs.length > 0 ? { parts: blobs } : {}),
        },
      });
      if (isInside) continue;
      after.push(...encoded);
      for (const { path } of media)
        this.#adjustments.push(
          mapped(path, "the model takes no such medium in a result; it follows as the user's", "tool", "user"),
        );
    }
    this.#contents.push(content);
    this.#results.add(content);
    this.#say("user", after);
  }
}

const ownId = (id: string): { id?: string } => (OWN_ID.test(id) ? { id } : {});
