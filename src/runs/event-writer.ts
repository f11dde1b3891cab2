import type { Ending } from "./ending.ts";
import type { Append } from "./queue.ts";

/** Most of one write; a single event may be larger. */
const MAX_BATCH_EVENTS = 512;
const MAX_BATCH_CHARACTERS = 256 * 1024;

/** What may wait for a write before whoever pushes has to. */
const MAX_WAITING_EVENTS = 2_048;
const MAX_WAITING_CHARACTERS = 1024 * 1024;

/**
 * Writes the events of a run in order, one write at a time: what comes while one is under way makes up the next. So a quick answer has
 * few writes, and a slow one is seen as it comes.
 */
export class EventWriter {
  readonly #write: (append: Append) => Promise<void>;
  #waiting: string[] = [];
  #waitingCharacters = 0;
  #writing: Promise<void> | undefined;
  #failure: { readonly thrown: unknown } | undefined;
  #isClosed = false;
  #sequence: number;

  /** `after`: number of the run's last event. What `write` rejects with, everything rejects with from then on. */
  constructor(after: number, write: (append: Append) => Promise<void>) {
    this.#sequence = after;
    this.#write = write;
  }

  /** Takes an event. It is written after the next `room` or `finish`. */
  push(event: string): void {
    this.#waiting.push(event);
    this.#waitingCharacters += event.length;
  }

  /** Resolves when there is room for more. */
  async room(): Promise<void> {
    this.#begin();
    while (this.#isFull && this.#failure === undefined) await this.#writing;
    if (this.#failure !== undefined) throw this.#failure.thrown;
  }

  /** Writes what waits, and with the last of it the end of the run. */
  async finish(ending: Ending): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure.thrown;
    for (let isLast = false; !isLast; ) {
      const events = this.#take();
      isLast = this.#waiting.length === 0;
      await this.#write({ after: this.#sequence, events, ending: isLast ? ending : undefined });
      this.#sequence += events.length;
    }
  }

  /** Forgets what waits. Resolves when nothing is being written any more. */
  async discard(): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
  }

  get #isFull(): boolean {
    return this.#waiting.length > MAX_WAITING_EVENTS || this.#waitingCharacters > MAX_WAITING_CHARACTERS;
  }

  #begin(): void {
    if (this.#writing !== undefined || this.#waiting.length === 0 || this.#isClosed || this.#failure) return;
    const events = this.#take();
    this.#writing = this.#write({ after: this.#sequence, events }).then(
      () => {
        this.#sequence += events.length;
        this.#writing = undefined;
        this.#begin();
      },
      (thrown: unknown) => {
        this.#failure = { thrown };
        this.#writing = undefined;
      },
    );
  }

  /** The next batch. */
  #take(): string[] {
    let characters = 0;
    let count = 0;
    for (const event of this.#waiting) {
      if (count === MAX_BATCH_EVENTS || (count > 0 && characters + event.length > MAX_BATCH_CHARACTERS)) break;
      characters += event.length;
      count += 1;
    }
    this.#waitingCharacters -= characters;
    return this.#waiting.splice(0, count);
  }
}
