import type { RequestHandler, StreamHandler } from "./options.ts";

/** What answers requests until another takes its place. */
export interface Successor {
  readonly handler: RequestHandler;
  readonly streamHandler: StreamHandler;
  /** Resolves when nothing is under way that its requests began. Asked for when their exchanges are over. */
  idle(): Promise<void>;
}

/** What answers requests now, and what answered before and has not come to its end. */
export interface Succession<T extends Successor> {
  /** What answers the next request. */
  readonly current: T;
  /** The current one, and those before it that still have requests. */
  readonly alive: readonly T[];
  /** Gives each request to what is current when it comes. There it stays to its end. */
  readonly handler: RequestHandler;
  readonly streamHandler: StreamHandler;
  /** From now on another one answers. */
  replace(next: T): void;
}

interface Holder<T> {
  readonly value: T;
  /** How many exchanges have not ended. */
  open: number;
  readonly exchangeEnded: () => void;
}

/** Begins a succession. What was replaced is forgotten when its last exchange is over. */
export function createSuccession<T extends Successor>(first: T): Succession<T> {
  const hold = (value: T): Holder<T> => {
    const holder: Holder<T> = {
      value,
      open: 0,
      exchangeEnded() {
        holder.open -= 1;
        forgetIfDone(holder);
      },
    };
    holders.add(holder);
    return holder;
  };
  const forgetIfDone = (holder: Holder<T>): void => {
    if (holder === current || holder.open > 0) return;
    void holder.value.idle().then(() => holders.delete(holder));
  };
  const holders = new Set<Holder<T>>();
  let current = hold(first);

  return {
    get current() {
      return current.value;
    },
    get alive() {
      return [...holders].map(({ value }) => value);
    },
    handler(request, response) {
      const { value, exchangeEnded } = current;
      current.open += 1;
      response.once("close", exchangeEnded);
      value.handler(request, response);
    },
    streamHandler(stream, headers) {
      const holder = current;
      const id = holder.value.streamHandler(stream, headers);
      if (id !== undefined) {
        holder.open += 1;
        stream.on("close", holder.exchangeEnded);
      }
      return id;
    },
    replace(next) {
      const before = current;
      current = hold(next);
      forgetIfDone(before);
    },
  };
}
