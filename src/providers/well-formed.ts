/** Half of a pair that waits for its other half. */
const HELD = /[\ud800-\udbff]$/;

/**
 * Joins surrogate pairs that a provider cut in two: half of a pair at the end of a piece waits for the next one. What has no other half
 * becomes U+FFFD.
 */
export class WellFormedText {
  #held = "";

  /** Takes a piece and returns what of it, and of what was held, can be passed on; it may be empty. */
  push(piece: string): string {
    if (this.#held === "" && piece.isWellFormed()) return piece;
    const text = this.#held + piece;
    this.#held = HELD.exec(text)?.[0] ?? "";
    return text.slice(0, text.length - this.#held.length).toWellFormed();
  }

  /** Takes the end, and returns what was held. */
  finish(): string {
    const rest = this.#held.toWellFormed();
    this.#held = "";
    return rest;
  }
}
