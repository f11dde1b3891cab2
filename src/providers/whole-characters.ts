/** Keeps characters whole that a provider cut in two: half of a surrogate pair waits for its other half. */
export class WholeCharacters {
  #held = "";

  /** Takes a piece of text, and returns what can be passed on of it and of what waited. */
  push(piece: string): string {
    let text = this.#held + piece;
    this.#held = "";
    const last = text.charCodeAt(text.length - 1);
    if (last >= 0xd800 && last <= 0xdbff) {
      this.#held = text.slice(-1);
      text = text.slice(0, -1);
    }
    return text.isWellFormed() ? text : text.toWellFormed();
  }

  /** The end of the text: half a character that is still waiting becomes U+FFFD. */
  end(): string {
    const rest = this.#held.toWellFormed();
    this.#held = "";
    return rest;
  }
}
