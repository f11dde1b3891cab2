import type { StreamEvent } from "../providers/provider.ts";
import { interrupted, invalidResponse } from "../providers/upstream-error.ts";
import type { EventReader } from "./event-reader.ts";

/** Most bytes of one value. */
const MAX_VALUE_BYTES = 64 * 1024 * 1024;

const BYTE_ORDER_MARK = 0xfeff;
const SPACE = /[ \t\r\n]/;

/** What ends a run of characters that mean nothing here: within a text, and outside of one. */
const IN_TEXT = /["\\]/g;
const OUTSIDE = /["[\]{}]/g;

/**
 * Makes a reader of a body that is JSON where an event stream was asked for. The whole of it is one event, or, with `isList`, each
 * element of the list that it is, as soon as that is whole: some servers say the same events so. A body that ends before its JSON does
 * is UPSTREAM_STREAM_INTERRUPTED.
 */
export function createJsonReader(provider: string, isList: boolean, maxBytes = MAX_VALUE_BYTES): EventReader {
  return new JsonReader(provider, isList, maxBytes);
}

class JsonReader implements EventReader {
  readonly #provider: string;
  readonly #isList: boolean;
  readonly #maxBytes: number;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #isStart = true;
  /** Brackets that are open, without that of the list. */
  #depth = 0;
  #isInText = false;
  /** Whether the next character stands for itself, since a backslash is before it. */
  #isEscaped = false;
  #isInList = false;
  #isOver = false;
  /** What there is of the value that is being read, and its length. */
  #value: string[] = [];
  #size = 0;

  constructor(provider: string, isList: boolean, maxBytes: number) {
    this.#provider = provider;
    this.#isList = isList;
    this.#maxBytes = maxBytes;
  }

  push(piece: Uint8Array): readonly StreamEvent[] {
    const text = this.#decoder.decode(piece, { stream: true });
    const events: StreamEvent[] = [];
    for (let at = this.#begin(text); at < text.length; )
      at = this.#depth === 0 ? this.#between(text, at) : this.#within(text, at, events);
    return events;
  }

  finish(): readonly StreamEvent[] {
    if (!this.#isOver) throw interrupted(this.#provider);
    return [];
  }

  /** Where the text begins, without a byte order mark. */
  #begin(text: string): number {
    if (!this.#isStart || text === "") return 0;
    this.#isStart = false;
    return text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0;
  }

  /** Reads a character outside of any value, and returns where to go on. */
  #between(text: string, at: number): number {
    const character = text.charAt(at);
    if (SPACE.test(character) || (this.#isInList && character === ",")) return at + 1;
    if (this.#isOver) throw this.#noJson();
    if (character === "]" && this.#isInList) {
      this.#isOver = true;
      this.#isInList = false;
      return at + 1;
    }
    if (character === "[" && this.#isList && !this.#isInList) {
      this.#isInList = true;
      return at + 1;
    }
    if (character !== "{" && character !== "[") throw this.#noJson();
    this.#depth = 1;
    this.#take(character);
    return at + 1;
  }

  /** Reads on in a value, as far as it goes, and returns where to go on. */
  #within(text: string, start: number, events: StreamEvent[]): number {
    let at = start;
    while (at < text.length) {
      if (this.#isEscaped) {
        this.#isEscaped = false;
        at++;
        continue;
      }
      const pattern = this.#isInText ? IN_TEXT : OUTSIDE;
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (found === null) break;
      at = found.index + 1;
      if (found[0] === '"') this.#isInText = !this.#isInText;
      else if (found[0] === "\\") this.#isEscaped = true;
      else this.#depth += found[0] === "{" || found[0] === "[" ? 1 : -1;
      if (this.#depth > 0) continue;
      this.#take(text.slice(start, at));
      events.push({ event: undefined, data: this.#value.join("") });
      this.#value = [];
      this.#size = 0;
      this.#isOver = !this.#isInList;
      return at;
    }
    this.#take(text.slice(start));
    return text.length;
  }

  #take(text: string): void {
    this.#size += text.length;
    if (this.#size > this.#maxBytes)
      throw invalidResponse(this.#provider, `a body with more than ${this.#maxBytes} bytes of JSON in one piece`);
    this.#value.push(text);
  }

  #noJson() {
    return invalidResponse(this.#provider, "a body that is no JSON object");
  }
}
