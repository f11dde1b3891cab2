import { stopQuietly } from "./stop-quietly.ts";
import { takeValue } from "./take-value.ts";

type Step<Item> = IteratorResult<readonly Item[], undefined>;

/**
 * Batches that come one after the other. A loop over it is the simple way. Who has many of them waits and takes: the layers between a source
 * and its last reader pass the source's own promise on, where each would else have one of its own for each batch.
 *
 * One reader reads at a time, and takes only what it has waited for.
 */
export abstract class Feed<Item> implements AsyncIterableIterator<readonly Item[], undefined> {
  /** Resolves when there is something to take, or nothing more will come; undefined: that is so now. It does not reject. */
  abstract ready(): Promise<void> | undefined;

  /** What is there, which may be nothing yet; undefined: nothing more will come. Throws what went wrong, when all before that was taken. */
  abstract take(): readonly Item[] | undefined;

  /** The reader leaves. */
  abstract return(): Promise<Step<Item>>;

  async next(): Promise<Step<Item>> {
    for (;;) {
      const ready = this.ready();
      if (ready !== undefined) await ready;
      const value = this.take();
      if (value === undefined) return DONE;
      if (value.length > 0) return { done: false, value };
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** What a feed's iterator ends with. */
export const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** The feed of what iterates over batches; itself, where it is one. */
export function feedOf<Item>(batches: AsyncIterable<readonly Item[]>): Feed<Item> {
  return batches instanceof Feed ? batches : new IteratorFeed(batches[Symbol.asyncIterator]());
}

/** Reads a feed to its end. Where `each` throws, or rejects, the feed is left. A batch is given to it when it has resolved for the one before. */
export async function readFeed<Item>(
  feed: Feed<Item>,
  each: (batch: readonly Item[]) => Promise<void> | undefined,
): Promise<void> {
  for (;;) {
    const ready = feed.ready();
    if (ready !== undefined) await ready;
    const batch = feed.take();
    if (batch === undefined) return;
    if (batch.length === 0) continue;
    try {
      const pending = each(batch);
      if (pending !== undefined) await pending;
    } catch (thrown) {
      await stopQuietly(feed);
      throw thrown;
    }
  }
}

class IteratorFeed<Item> extends Feed<Item> {
  readonly #iterator: AsyncIterator<readonly Item[]>;
  #step: IteratorResult<readonly Item[]> | undefined;
  #fault: { readonly thrown: unknown } | undefined;
  #waiting: Promise<void> | undefined;

  constructor(iterator: AsyncIterator<readonly Item[]>) {
    super();
    this.#iterator = iterator;
  }

  ready(): Promise<void> | undefined {
    if (this.#step !== undefined || this.#fault !== undefined) return undefined;
    this.#waiting ??= this.#iterator.next().then(this.#came, this.#failed);
    return this.#waiting;
  }

  take(): readonly Item[] | undefined {
    if (this.#fault !== undefined) {
      const { thrown } = this.#fault;
      // An iterator that has failed is over.
      this.#fault = undefined;
      this.#step = DONE;
      throw thrown;
    }
    const step = this.#step;
    if (step === undefined) return [];
    if (step.done === true) return undefined;
    this.#step = undefined;
    return takeValue(step);
  }

  async return(): Promise<Step<Item>> {
    await this.#iterator.return?.();
    this.#step = DONE;
    return DONE;
  }

  readonly #came = (step: IteratorResult<readonly Item[]>): void => {
    this.#waiting = undefined;
    this.#step ??= step;
  };

  readonly #failed = (thrown: unknown): void => {
    this.#waiting = undefined;
    this.#fault = { thrown };
  };
}
