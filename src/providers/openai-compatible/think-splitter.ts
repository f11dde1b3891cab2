const OPEN = "<think>";
const CLOSE = "</think>";

/** Text of an answer, told apart. */
export interface Split {
  readonly text: string;
  readonly reasoning: string;
}

/**
 * Splits the reasoning off a text that begins with "<think>…</think>", as models write it whose server does not. Tags may be cut
 * anywhere. Only white space may stand before the first tag; a tag later in the text is text.
 */
export class ThinkSplitter {
  #state: "start" | "reasoning" | "text" = "start";
  /** What may still become a tag. */
  #held = "";

  /** Takes the next piece of the text. */
  push(piece: string): Split {
    if (this.#state === "text") return { text: piece, reasoning: "" };
    this.#held += piece;
    return this.#state === "start" ? this.#atStart() : this.#inReasoning();
  }

  /** The end: what was held is no tag after all. */
  finish(): Split {
    const rest = this.#held;
    this.#held = "";
    return this.#state === "reasoning" ? { text: "", reasoning: rest } : { text: rest, reasoning: "" };
  }

  #atStart(): Split {
    const trimmed = this.#held.trimStart();
    if (trimmed.startsWith(OPEN)) {
      this.#state = "reasoning";
      this.#held = trimmed.slice(OPEN.length);
      return this.#inReasoning();
    }
    if (OPEN.startsWith(trimmed)) return { text: "", reasoning: "" };
    this.#state = "text";
    return { text: this.#take(this.#held.length), reasoning: "" };
  }

  #inReasoning(): Split {
    const end = this.#held.indexOf(CLOSE);
    if (end === -1) {
      const safe = this.#held.length - tailOf(this.#held);
      return { text: "", reasoning: this.#take(safe) };
    }
    const reasoning = this.#take(end);
    this.#state = "text";
    return { reasoning, text: this.#take(this.#held.length).slice(CLOSE.length) };
  }

  #take(length: number): string {
    const taken = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return taken;
  }
}

/** How many characters at the end of a text may be the beginning of the closing tag. */
function tailOf(text: string): number {
  for (let length = Math.min(CLOSE.length - 1, text.length); length > 0; length--)
    if (CLOSE.startsWith(text.slice(-length))) return length;
  return 0;
}
