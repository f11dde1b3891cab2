import { create, type JsonObject } from "@bufbuild/protobuf";
import { type FunctionCallDelta, FunctionCallDeltaSchema } from "../../gen/parley/chat/v1/completion_pb.ts";
import { WholeCharacters } from "../whole-characters.ts";
import { readFunction } from "./read-call.ts";

/** The call of an answer in the legacy form: its name is said once, and its arguments are an empty object where nobody sent any. */
export class LegacyCall {
  readonly #characters = new WholeCharacters();
  #hasBegun = false;
  #name = "";
  #input = "";

  /** Whether there is such a call. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Takes a piece, and returns what of it is new. */
  push(json: JsonObject): FunctionCallDelta | undefined {
    const piece = readFunction(json);
    // Some servers send an empty one with every answer.
    this.#hasBegun ||= piece.name !== "" || piece.input !== "";
    const input = this.#characters.push(piece.input);
    this.#input += input;
    const isNamed = this.#name === "" && piece.name !== "";
    if (!isNamed && input === "") return undefined;
    const delta = create(FunctionCallDeltaSchema);
    delta.arguments = input;
    if (isNamed) {
      this.#name = piece.name;
      delta.name = piece.name;
    }
    return delta;
  }

  /** The end: what is missing of the arguments. */
  finish(): FunctionCallDelta | undefined {
    if (!this.#hasBegun) return undefined;
    const rest = this.#characters.finish();
    const input = (this.#input + rest).trim() === "" ? `${rest}{}` : rest;
    return input === "" ? undefined : create(FunctionCallDeltaSchema, { arguments: input });
  }
}
