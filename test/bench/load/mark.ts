/** Marks in the texts of answers: they are what is counted, and those of the mock upstream say when they were sent. */

/** What a mark begins with. */
export const MARK = "@T";

const DIGITS = 16;

/** The time of the machine's monotonic clock in µs, which is the same one in all of its processes. */
export function nowUs(): number {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e6 + nanos / 1000;
}

/** A mark that says when it was made. */
export const stamp = (us: number): string => MARK + String(Math.trunc(us)).padStart(DIGITS, "0");

/** Length of a stamped mark. */
export const STAMP_LENGTH = MARK.length + DIGITS;

/** When the stamped mark that begins at that place was made, in µs. */
export function readStamp(bytes: Buffer, at: number): number {
  let us = 0;
  for (let digit = at + MARK.length; digit < at + STAMP_LENGTH; digit++) us = us * 10 + (bytes[digit] as number) - 48;
  return us;
}

const NOTHING = Buffer.alloc(0);

/** Finds marks in bytes that come in pieces. */
export class MarkReader {
  /** How many marks there were. */
  count = 0;
  readonly #mark: Buffer;
  readonly #length: number;
  readonly #onStamp: ((us: number) => void) | undefined;
  #rest: Buffer = NOTHING;

  /** With `onStamp` each mark has to be stamped, and it is told when each of them was made. */
  constructor(mark: string, onStamp?: (us: number) => void) {
    this.#mark = Buffer.from(mark);
    this.#length = onStamp === undefined ? mark.length : STAMP_LENGTH;
    this.#onStamp = onStamp;
  }

  /** Takes the next bytes, which may be overwritten later. */
  push(piece: Buffer): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let from = 0;
    let at = bytes.indexOf(this.#mark, from);
    while (at >= 0 && at + this.#length <= bytes.length) {
      this.count += 1;
      this.#onStamp?.(readStamp(bytes, at));
      from = at + this.#length;
      at = bytes.indexOf(this.#mark, from);
    }
    // What is left may be the beginning of a mark.
    if (at < 0) at = bytes.indexOf(this.#mark[0] as number, Math.max(from, bytes.length - this.#mark.length + 1));
    this.#rest = at < 0 ? NOTHING : Buffer.from(bytes.subarray(at));
  }
}
