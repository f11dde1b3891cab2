import { create, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import {
  CustomToolCallDeltaSchema,
  FunctionCallDeltaSchema,
  type ToolCallDelta,
  ToolCallDeltaSchema,
  ToolCallDelta_Type as Type,
} from "../../gen/parley/chat/v1/completion_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";
import type { Chance } from "../provider.ts";
import { isPortableId } from "../tool-ids.ts";
import { WholeCharacters } from "../whole-characters.ts";
import { type CallPiece, readCall } from "./read-call.ts";

/** A call of the answer. */
interface OpenCall {
  /** Our index of it, from when clients know of it. */
  index: number;
  /** The server's index and id of it, where it has any. */
  readonly theirIndex: number | undefined;
  theirId: string;
  name: string;
  kind: "function" | "custom";
  /** What of the arguments was received. */
  input: string;
  /** Whether it may be whole; to read it with every piece would take the square of its length. */
  mayBeWhole: boolean;
  /** Whether clients know of it: a call is told when its name is known. */
  isTold: boolean;
  readonly characters: WholeCharacters;
  /** The delta that last had a piece of it. */
  seenIn: number;
}

/**
 * Tells the tool calls of one choice apart, whatever servers do with indexes and ids: the calls get the indexes 0, 1, 2, … in the order
 * in which clients hear of them, and ids that any family takes. A new id on a used index opens a new call; a piece without an id belongs to the call
 * that was opened last on its index.
 */
export class CallTracker {
  readonly #chance: Chance;
  readonly #calls: OpenCall[] = [];
  readonly #ids = new Set<string>();
  #deltas = 0;
  #told = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** Whether there is any call. */
  get isEmpty(): boolean {
    return this.#calls.length === 0;
  }

  /** Takes the `tool_calls` of a delta. `isWhole`: they are those of a whole message, so that each is a call of its own. */
  push(pieces: readonly JsonValue[], isWhole: boolean): ToolCallDelta[] {
    this.#deltas++;
    const deltas: ToolCallDelta[] = [];
    for (const json of pieces) {
      if (!isObject(json)) continue;
      const piece = readCall(json);
      const call = (isWhole ? undefined : this.#find(piece)) ?? this.#open(piece);
      if (call === undefined) continue;
      const delta = this.#advance(call, piece);
      if (delta !== undefined) deltas.push(delta);
    }
    return deltas;
  }

  /** The end: arguments that nobody sent are an empty object. `onNameless` is told when a call never got a name. */
  finish(onNameless: () => never): ToolCallDelta[] {
    return this.#calls.flatMap((call) => {
      if (!call.isTold) onNameless();
      const rest = call.characters.finish();
      const input = call.kind === "function" && (call.input + rest).trim() === "" ? `${rest}{}` : rest;
      return input === "" ? [] : [pieceOf(call, input)];
    });
  }

  /** The call that a piece belongs to; undefined: it opens a new one. */
  #find({ index, id, name }: CallPiece): OpenCall | undefined {
    const sameId = id === "" ? undefined : this.#calls.findLast(({ theirId }) => theirId === id);
    const sameIndex = index === undefined ? undefined : this.#calls.findLast(({ theirIndex }) => theirIndex === index);
    if (sameId !== undefined && (sameIndex === undefined || sameIndex === sameId || index === undefined)) return sameId;
    if (id !== "") return sameIndex?.theirId === "" && !this.#isOther(sameIndex, name) ? sameIndex : undefined;
    const call = sameIndex ?? (index === undefined || name === "" ? this.#calls.at(-1) : undefined);
    return call === undefined || this.#isOther(call, name) ? undefined : call;
  }

  /** Whether a name on a piece without an id says that it is another call, and does not only repeat itself. */
  #isOther(call: OpenCall, name: string): boolean {
    if (name === "" || call.name === "") return false;
    return name !== call.name || call.seenIn === this.#deltas || (call.mayBeWhole && isJson(call.input));
  }

  #open({ index, id, name, input }: CallPiece): OpenCall | undefined {
    // A piece of nothing.
    if (id === "" && name === "" && input === "") return undefined;
    const call: OpenCall = {
      index: -1,
      theirIndex: index,
      theirId: id,
      name: "",
      kind: "function",
      input: "",
      mayBeWhole: false,
      isTold: false,
      characters: new WholeCharacters(),
      seenIn: 0,
    };
    this.#calls.push(call);
    return call;
  }

  #advance(call: OpenCall, piece: CallPiece): ToolCallDelta | undefined {
    call.seenIn = this.#deltas;
    call.theirId ||= piece.id;
    const input = call.characters.push(piece.input);
    call.input += input;
    if (input !== "") call.mayBeWhole = input.trimEnd().endsWith("}");
    const hasMore = input !== "" || piece.extraContent !== undefined || piece.extra !== undefined;
    if (call.isTold) return hasMore ? pieceOf(call, input, piece) : undefined;
    if (piece.name === "") return undefined;
    call.name = piece.name;
    call.kind = piece.kind;
    call.isTold = true;
    call.index = this.#told++;
    const isCustom = call.kind === "custom";
    const delta = pieceOf(call, call.input, piece);
    delta.id = this.#idOf(call.theirId);
    delta.type = isCustom ? Type.CUSTOM : Type.FUNCTION;
    Object.assign((isCustom ? delta.custom : delta.function) as object, { name: call.name });
    return delta;
  }

  /** The server's id, where clients can use it; else a new one. */
  #idOf(theirs: string): string {
    const id = isPortableId(theirs) && !this.#ids.has(theirs) ? theirs : this.#chance.newCallId();
    this.#ids.add(id);
    return id;
  }
}

function pieceOf({ index, kind }: OpenCall, input: string, piece?: CallPiece): ToolCallDelta {
  const delta = create(ToolCallDeltaSchema);
  delta.index = index;
  if (kind === "custom") {
    delta.custom = create(CustomToolCallDeltaSchema);
    delta.custom.input = input;
  } else {
    delta.function = create(FunctionCallDeltaSchema);
    delta.function.arguments = input;
  }
  if (piece?.extraContent !== undefined) delta.extraContent = piece.extraContent;
  if (piece?.extra !== undefined) delta.extra = piece.extra;
  return delta;
}

function isJson(text: string): boolean {
  try {
    return text !== "" && isObject(JSON.parse(text) as JsonObject);
  } catch {
    return false; // Not yet.
  }
}
