const HEAD_END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = Buffer.from("\r\n0\r\n\r\n");
const NOTHING = Buffer.alloc(0);

/**
 * Finds the end of an answer on HTTP/1.1 that comes in pieces, and looks for nothing else. A body in chunks has ended when a piece ends like the last
 * one, so no text that is sent may look like it.
 */
export class AnswerEnd {
  /** "HTTP/1.1 200 OK"; "": it has not come yet. */
  statusLine = "";
  #size = 0;
  #head: Buffer = NOTHING;
  /** Size that the answer will have; undefined: the head is not complete. NaN: it ends with the last chunk. */
  #whole: number | undefined;
  #tail: Buffer = NOTHING;

  /** Takes the next bytes, which may be overwritten later. Returns true when the answer is complete. */
  push(data: Buffer): boolean {
    this.#size += data.length;
    if (this.#whole === undefined) this.#readHead(data);
    if (this.#whole === undefined) return false;
    if (!Number.isNaN(this.#whole)) return this.#size >= this.#whole;
    const end = data.length >= LAST_CHUNK.length ? data : Buffer.concat([this.#tail, data]);
    this.#tail = Buffer.from(end.subarray(-LAST_CHUNK.length));
    return this.#tail.equals(LAST_CHUNK);
  }

  #readHead(data: Buffer): void {
    this.#head = Buffer.concat([this.#head, data]);
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return;
    const head = this.#head.toString("latin1", 0, end);
    this.statusLine = head.slice(0, head.indexOf("\r\n"));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    this.#whole = length === undefined ? Number.NaN : end + HEAD_END.length + Number(length);
  }
}
