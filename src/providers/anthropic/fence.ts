/** What may stand before the content of a fence: the fence, a language, and the end of the line. */
const OPENING = /^\s*```[^\n`]*\n/;
/** A text that may still become an opening. */
const MAY_OPEN = /^\s*(?:`{0,2}|```[^\n`]*)$/;

/** Takes the fence of Markdown off an answer that was to be JSON, also where it comes in pieces. An answer without one stays as it is. */
export class FenceStripper {
  #held = "";
  #state: "start" | "inside" | "plain" = "start";

  /** Takes a piece and returns what of the content is certain; it may be empty. */
  push(piece: string): string {
    if (this.#state === "plain") return piece;
    this.#held += piece;
    if (this.#state === "start") {
      if (MAY_OPEN.test(this.#held)) return "";
      const opening = OPENING.exec(this.#held)?.[0];
      this.#state = opening === undefined ? "plain" : "inside";
      if (opening === undefined) return this.#take(this.#held.length);
      this.#held = this.#held.slice(opening.length);
    }
    return this.#take(withoutClosing(this.#held));
  }

  /** Takes the end, and returns what was held and is no fence. */
  finish(): string {
    if (this.#state === "inside" && /^\s*```\s*$/.test(this.#held)) this.#held = "";
    return this.#take(this.#held.length);
  }

  #take(length: number): string {
    const taken = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return taken;
  }
}

/** Length of a text without the end of a fence, or what may become it. */
function withoutClosing(text: string): number {
  const end = text.trimEnd();
  const ticks = end.endsWith("```") ? 3 : end.endsWith("``") ? 2 : end.endsWith("`") ? 1 : 0;
  return end.slice(0, end.length - ticks).trimEnd().length;
}
