import type { JsonValue } from "@bufbuild/protobuf";
import { isObject } from "../../openai-json/is-object.ts";
import { parseLossless } from "../../openai-json/lossless-json.ts";

/** What stands before the text of a custom tool's input. */
const OPENING = /^\s*\{\s*"input"\s*:\s*"/;
/** Longest opening that is waited for. */
const MAX_OPENING = 64;

/** The input of a custom tool of the arguments of the function that stands for it; of other arguments, their JSON text. */
export function customInputOf(input: JsonValue | undefined): string {
  const text = isObject(input) ? input["input"] : undefined;
  return typeof text === "string" ? text.toWellFormed() : JSON.stringify(input ?? {});
}

/** Reads the input of a custom tool out of JSON that comes in pieces: `{"input": "…"}`. */
export class CustomInputReader {
  #text = "";
  /** Where in the text the next character of the string is; undefined: the string has not begun. */
  #at: number | undefined;
  #isOver = false;

  /** Takes a piece of the JSON and returns what it adds to the input; it may be empty, and end in half of a surrogate pair. */
  push(piece: string): string {
    if (this.#isOver) return "";
    this.#text += piece;
    if (this.#at === undefined) {
      const opening = OPENING.exec(this.#text.slice(0, MAX_OPENING))?.[0];
      if (opening === undefined) return "";
      this.#at = opening.length;
    }
    return this.#readString(this.#at);
  }

  /** Takes the end, and returns what is left: all of it, where the arguments are not of the usual form. */
  finish(): string {
    if (this.#at !== undefined || this.#text.trim() === "") return "";
    try {
      return customInputOf(parseLossless(this.#text));
    } catch {
      return this.#text; // Cut within its opening; what came is not lost.
    }
  }

  #readString(start: number): string {
    let at = start;
    let end = start;
    while (at < this.#text.length) {
      const character = this.#text[at];
      if (character === '"') {
        this.#isOver = true;
        break;
      }
      const length = character !== "\\" ? 1 : this.#text[at + 1] === "u" ? 6 : 2;
      if (at + length > this.#text.length) break;
      at += length;
      end = at;
    }
    const raw = this.#text.slice(start, end);
    this.#text = this.#text.slice(end);
    this.#at = 0;
    return resolveEscapes(raw);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

const resolveEscapes = (raw: string): string =>
  raw.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_all, code: string | undefined, character: string) =>
    code === undefined ? (ESCAPES[character] ?? character) : String.fromCharCode(Number.parseInt(code, 16)),
  );
