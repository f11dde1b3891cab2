import type { JsonObject } from "@bufbuild/protobuf";
import { type Delta, type ToolCallDelta, ToolCallDelta_Type } from "../../gen/parley/chat/v1/completion_pb.ts";
import type { ReasoningDetail } from "../../gen/parley/chat/v1/message_pb.ts";
import { setKey } from "../../openai-json/encode-value.ts";
import { severalCalls } from "../legacy-form.ts";
import { isPortableId } from "../tool-ids.ts";
import { invalidResponse } from "../upstream-error.ts";
import { type AnswerContext, stringifyArgs } from "./answer-context.ts";
import { objectIn, objectsIn, textIn } from "./json-fields.ts";
import { addPartialArg } from "./partial-args.ts";
import { signatureContent } from "./signatures.ts";

/** A call whose arguments come in pieces. */
interface OpenCall {
  readonly name: string | undefined;
  readonly id: string | undefined;
  signature: string | undefined;
  readonly args: JsonObject;
}

/** Gives the delta that the next call goes to. */
type NextDelta = () => Delta;

/** Reads the calls of a candidate. A call comes whole, or in pieces that are collected until it is. */
export class CallReader {
  readonly #context: AnswerContext;
  readonly #detail: (signature: string, id: string) => ReasoningDetail;
  readonly #ids = new Set<string>();
  #open: OpenCall | undefined;
  /** How many calls there were. */
  count = 0;

  /** `detail`: makes the next entry of the reasoning for a call's signature. */
  constructor(context: AnswerContext, detail: (signature: string, id: string) => ReasoningDetail) {
    this.#context = context;
    this.#detail = detail;
  }

  /** Takes a `functionCall`, and what its part has as a signature. */
  read(call: JsonObject, signature: string | undefined, next: NextDelta): void {
    const name = textIn(call, "name") || undefined;
    if (this.#open !== undefined && name !== undefined) this.end(next);
    const pieces = objectsIn(call, "partialArgs");
    const goesOn = call["willContinue"] === true;
    if (this.#open === undefined && !goesOn && pieces.length === 0) {
      this.#emit({ name, id: textIn(call, "id"), signature, args: objectIn(call, "args") ?? {} }, next);
      return;
    }
    this.#open ??= { name, id: textIn(call, "id"), signature, args: {} };
    this.#open.signature ??= signature;
    for (const [name, value] of Object.entries(objectIn(call, "args") ?? {})) setKey(this.#open.args, name, value);
    for (const piece of pieces)
      if (!addPartialArg(this.#open.args, piece))
        throw invalidResponse(this.#context.provider, "a piece of arguments that fits nowhere");
    if (!goesOn) this.end(next);
  }

  /** Takes the end of a call that comes in pieces. */
  end(next: NextDelta): void {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) this.#emit(open, next);
  }

  #emit({ name: wireName, id: given, signature, args }: OpenCall, next: NextDelta): void {
    if (wireName === undefined) throw invalidResponse(this.#context.provider, "a call of no function");
    const { names } = this.#context;
    const name = names.toCaller(wireName);
    if (names.isLegacy) {
      if (this.count++ > 0) throw severalCalls(this.#context.provider);
      next().functionCall = {
        $typeName: "parley.chat.v1.FunctionCallDelta",
        name,
        arguments: stringifyArgs(args, this.#context),
      };
      return;
    }
    const id = this.#newId(given);
    const delta = next();
    delta.toolCalls.push({
      ...this.#body(name, args),
      index: this.count++,
      id,
      ...(signature === undefined ? {} : { extraContent: signatureContent(signature) }),
    });
    if (signature !== undefined) delta.reasoningDetails.push(this.#detail(signature, id));
  }

  #body(name: string, args: JsonObject): Omit<ToolCallDelta, "index" | "id"> {
    const { $typeName } = { $typeName: "parley.chat.v1.ToolCallDelta" as const };
    if (!this.#context.names.isCustom(name)) {
      const input = stringifyArgs(args, this.#context);
      return {
        $typeName,
        type: ToolCallDelta_Type.FUNCTION,
        function: { $typeName: "parley.chat.v1.FunctionCallDelta", name, arguments: input },
      };
    }
    const input = textIn(args, "input") ?? stringifyArgs(args, this.#context);
    return {
      $typeName,
      type: ToolCallDelta_Type.CUSTOM,
      custom: { $typeName: "parley.chat.v1.CustomToolCallDelta", name, input },
    };
  }

  /** Google's id, where every family takes it and it is the only one; else one of ours. */
  #newId(given: string | undefined): string {
    const id = isPortableId(given) && !this.#ids.has(given) ? given : this.#context.chance.newCallId();
    this.#ids.add(id);
    return id;
  }
}
