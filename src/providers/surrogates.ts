/** Holds the text of a stream to whole characters: some servers cut one into its two halves, and a lone half is no text. */
export class WholeCharacters {
  #held = "";

  /** Takes the next piece, and returns what of it, and of what was held, is whole. */
  push(piece: string): string {
    if (this.#held === "" && piece.isWellFormed()) return piece;
    const text = this.#held + piece;
    const last = text.charCodeAt(text.length - 1);
    const isCut = last >= 0xd800 && last <= 0xdbff;
    this.#held = isCut ? text.slice(-1) : "";
    return (isCut ? text.slice(0, -1) : text).toWellFormed();
  }

  /** The end: a half that is still held becomes U+FFFD. */
  finish(): string {
    const rest = this.#held.toWellFormed();
    this.#held = "";
    return rest;
  }
}
