import { GatewayError } from "../../errors/gateway-error.ts";
import type { Message } from "../../gen/parley/chat/v1/message_pb.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import { dropped, mapped } from "../adjustment.ts";
import { unsupportedValue } from "../parameter-table.ts";
import type { AssistantTurn, Call, Conversation, Result, Turn } from "../turns.ts";
import type { Capabilities } from "./capabilities.ts";
import { CallIds, encodeInput, encodeName } from "./encode-calls.ts";
import { encodeParts, encodeTexts, type Notes } from "./encode-parts.ts";
import { encodeThoughts } from "./encode-thoughts.ts";
import type { TextBlock, ToolResultBlock, WireMessage } from "./wire.ts";

/** A conversation in Anthropic's terms. */
export interface EncodedMessages {
  readonly system: TextBlock[];
  readonly messages: WireMessage[];
}

/** Says a conversation in Anthropic's terms. Fails where it cannot be said without another meaning. */
export function encodeMessages(
  { turns }: Conversation,
  messages: readonly Message[],
  capabilities: Capabilities,
  notes: Notes,
): EncodedMessages {
  const encoder = new Encoder(capabilities, notes);
  for (const turn of turns) encoder.add(turn);
  return encoder.finish(`messages[${messages.length - 1}]`);
}

class Encoder {
  readonly #capabilities: Capabilities;
  readonly #notes: Notes;
  readonly #ids = new CallIds();
  readonly #system: TextBlock[] = [];
  readonly #hoisted: TextBlock[] = [];
  readonly #messages: WireMessage[] = [];
  #hasBegun = false;
  /** The turn before, when it had nothing to say. */
  #empty: number | undefined;

  constructor(capabilities: Capabilities, notes: Notes) {
    this.#capabilities = capabilities;
    this.#notes = notes;
  }

  add(turn: Turn): void {
    this.#hasBegun ||= turn.kind !== "system";
    switch (turn.kind) {
      case "system":
        this.#addSystem(turn.index, encodeTexts(turn.parts, this.#notes));
        break;
      case "user":
        this.#push("user", encodeParts(turn.parts, this.#notes), turn.index);
        break;
      case "assistant":
        this.#push("assistant", this.#assistantBlocks(turn), turn.index);
        break;
      case "results": {
        const results = turn.results.map((result) => this.#resultBlock(result));
        this.#push("user", results, undefined);
        break;
      }
      default:
        turn satisfies never;
    }
  }

  /** `lastPath`: of the last message of the request. */
  finish(lastPath: string): EncodedMessages {
    if (this.#messages.length === 0)
      throw invalid(
        this.#empty === undefined ? "messages" : `messages[${this.#empty}].content`,
        "Anthropic wants a message of the user that is more than white space",
      );
    const last = this.#messages.at(-1);
    if (last?.role === "assistant") this.#checkPrefill(last, lastPath);
    return { system: [...this.#system, ...this.#hoisted], messages: this.#messages };
  }

  #addSystem(index: number, texts: TextBlock[]): void {
    const last = this.#messages.at(-1);
    if (!this.#hasBegun) this.#system.push(...texts);
    else if (texts.length === 0) return;
    else if (last?.role === "system") last.content.push(...texts);
    else if (this.#capabilities.midSystem && last?.role === "user")
      this.#messages.push({ role: "system", content: texts });
    else {
      const why = this.#capabilities.midSystem
        ? "Anthropic's models take instructions within a conversation only after the user"
        : "this model takes no instructions within a conversation";
      this.#notes.adjustments.push(mapped(`messages[${index}]`, why, "in its place", "before the conversation"));
      this.#notes.marks.hoist(texts, [...this.#system, ...this.#hoisted]);
      this.#hoisted.push(...texts);
    }
  }

  /** Appends blocks; those of one role stand in one message. */
  #push<R extends "user" | "assistant">(
    role: R,
    blocks: Extract<WireMessage, { role: R }>["content"],
    index: number | undefined,
  ): void {
    if (blocks.length === 0) {
      this.#empty ??= index;
      return;
    }
    // A turn that had nothing to say stood where the roles now meet: without it, others would answer than was meant.
    if (role === "assistant" && this.#messages.length === 0 && this.#empty !== undefined)
      this.#refuseEmpty(this.#empty);
    this.#empty = undefined;
    const last = this.#messages.at(-1);
    if (last?.role === role) (last.content as typeof blocks).push(...(blocks as never[]));
    else this.#messages.push({ role, content: blocks } as WireMessage);
  }

  #refuseEmpty(index: number): never {
    throw invalid(
      `messages[${index}].content`,
      "Anthropic refuses content of white space alone, and without it the conversation would be another",
    );
  }

  #assistantBlocks(turn: AssistantTurn): Extract<WireMessage, { role: "assistant" }>["content"] {
    return [
      ...encodeThoughts(turn, this.#capabilities, this.#notes),
      ...encodeTexts(turn.parts, this.#notes),
      ...turn.calls.map((call) => ({
        type: "tool_use" as const,
        id: this.#ids.of(call),
        name: this.#nameOf(call),
        input: encodeInput(call, this.#notes),
      })),
    ];
  }

  #nameOf(call: Call): string {
    const name = encodeName(call);
    if (name !== call.name) {
      const why = "Anthropic takes names of 1 to 64 letters, digits, _ and -";
      this.#notes.adjustments.push(mapped(call.path.replace(/[^.]+$/, "name"), why, call.name, name));
    }
    return name;
  }

  #resultBlock({ call, parts, isError }: Result): ToolResultBlock {
    const block: ToolResultBlock = { type: "tool_result", tool_use_id: this.#ids.of(call) };
    const content = encodeParts(parts, this.#notes);
    const [first] = content;
    // A single text is written as a string, and its mark moves to the result.
    if (content.length === 1 && first?.type === "text") {
      block.content = first.text;
      this.#notes.marks.move(first, block);
    } else if (content.length > 0) block.content = content;
    if (isError === true) block.is_error = true;
    return block;
  }

  #checkPrefill(last: Extract<WireMessage, { role: "assistant" }>, path: string): void {
    // The user's last word was empty, and without it the answer before would be continued.
    if (this.#empty !== undefined) this.#refuseEmpty(this.#empty);
    const end = last.content.at(-1);
    if (!this.#capabilities.prefill)
      throw unsupportedValue(path, "this model does not continue an answer: the last message must be the user's");
    if (end?.type !== "text" || end.text === end.text.trimEnd()) return;
    end.text = end.text.trimEnd();
    this.#notes.adjustments.push(
      dropped(`${path}.content`, "an answer that is to be continued may not end in white space: the space is dropped"),
    );
  }
}

const invalid = (path: string, why: string): GatewayError =>
  new GatewayError(Reason.INVALID_VALUE, `${path}: ${why}`, { param: path });
