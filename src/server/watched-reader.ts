import type { ServerHttp2Stream } from "node:http2";
import type { Due } from "../lib/due-list.ts";
import type { HttpResponse } from "../lib/http-exchange.ts";
import type { Listed } from "../lib/roster.ts";
import { endStalledReader } from "./reader.ts";

/** How often it is looked for an answer that waits, in the time that a client may take nothing of it. */
const LOOKS = 4;

/**
 * An answer whose client is looked after: it may not leave the answer waiting, and take none of it, for that long. Hardly any answer waits
 * when it is looked at; one that does gets a timer of its own. One timer for all others costs less than one for each, which is put off with
 * each piece of an answer.
 */
export class WatchedReader implements Due, Listed {
  place = -1;
  readonly #answer: HttpResponse | ServerHttp2Stream;
  readonly #timeoutMs: number;
  #lookAt: number;

  constructor(answer: HttpResponse | ServerHttp2Stream, timeoutMs: number) {
    this.#answer = answer;
    this.#timeoutMs = timeoutMs;
    this.#lookAt = performance.now() + timeoutMs / LOOKS;
  }

  get dueAt(): number {
    return this.#lookAt;
  }

  due(): void {
    const now = performance.now();
    if (this.#lookAt > now) return;
    if (this.#answer.writableLength === 0) {
      this.#lookAt = now + this.#timeoutMs / LOOKS;
      return;
    }
    // Node's timer knows whether any of it was taken.
    this.#lookAt = Number.POSITIVE_INFINITY;
    endStalledReader(this.#answer, this.#timeoutMs);
  }
}
