import { describe, expect, it } from "vitest";
import { DONE, Feed, feedOf, readFeed } from "../../src/lib/feed.ts";

/** A feed of what it is given, which waits before each batch. */
class Given extends Feed<number> {
  left = 0;
  #isThere = false;
  readonly #batches: (readonly number[] | Error)[];

  constructor(...batches: (readonly number[] | Error)[]) {
    super();
    this.#batches = batches;
  }

  ready(): Promise<void> | undefined {
    if (this.#isThere) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#isThere = true;
        resolve();
      });
    });
  }

  take(): readonly number[] | undefined {
    this.#isThere = false;
    const batch = this.#batches.shift();
    if (batch instanceof Error) throw batch;
    return batch;
  }

  async return(): Promise<typeof DONE> {
    this.left += 1;
    return DONE;
  }
}

async function collect(batches: AsyncIterable<readonly number[]>): Promise<(readonly number[])[]> {
  const all: (readonly number[])[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

async function read(feed: Feed<number>): Promise<(readonly number[])[]> {
  const all: (readonly number[])[] = [];
  await readFeed(feed, (batch) => {
    all.push(batch);
    return undefined;
  });
  return all;
}

describe("a feed", () => {
  it("is iterated over, without batches that are empty", async () => {
    expect(await collect(new Given([1], [], [2, 3]))).toEqual([[1], [2, 3]]);
    expect(await read(new Given([1], [], [2, 3]))).toEqual([[1], [2, 3]]);
  });

  it("is left by a loop that ends early, and throws what went wrong behind what came before", async () => {
    const feed = new Given([1], [2]);
    for await (const _ of feed) break;
    expect(feed.left).toBe(1);
    const failing = new Given([1], new Error("no more"));
    expect((await failing.next()).value).toEqual([1]);
    await expect(failing.next()).rejects.toThrow("no more");
  });
});

describe("readFeed()", () => {
  it("waits for what is done with a batch before it takes the next one", async () => {
    const events: string[] = [];
    await readFeed(new Given([1], [2]), async ([number]) => {
      events.push(`begin ${number}`);
      await new Promise(setImmediate);
      events.push(`end ${number}`);
    });
    expect(events).toEqual(["begin 1", "end 1", "begin 2", "end 2"]);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("full");
      },
    ],
    ["rejects", () => Promise.reject(new Error("full"))],
  ])("leaves the feed where what is done with a batch %s", async (_how, each) => {
    const feed = new Given([1], [2]);
    await expect(readFeed(feed, each)).rejects.toThrow("full");
    expect([feed.left, await read(feed)]).toEqual([1, [[2]]]);
  });
});

describe("feedOf()", () => {
  async function* numbers(...batches: (readonly number[] | Error)[]): AsyncGenerator<readonly number[]> {
    for (const batch of batches) {
      if (batch instanceof Error) throw batch;
      yield batch;
    }
  }

  it("is the same feed for a feed", () => {
    const feed = new Given();
    expect(feedOf(feed)).toBe(feed);
  });

  it("reads any iterator to its end, and stays there", async () => {
    const feed = feedOf(numbers([1], [], [2]));
    expect(await collect(feed)).toEqual([[1], [2]]);
    expect([feed.ready(), feed.take()]).toEqual([undefined, undefined]);
  });

  it("asks the iterator once for what is waited for twice", async () => {
    const feed = feedOf(numbers([1], [2]));
    await Promise.all([feed.ready(), feed.ready()]);
    expect([feed.ready(), feed.take(), feed.take()]).toEqual([undefined, [1], []]);
    await feed.ready();
    expect(feed.take()).toEqual([2]);
  });

  it("throws what the iterator throws, once, and is over then", async () => {
    const feed = feedOf(numbers([1], new Error("no more")));
    await feed.ready();
    expect(feed.take()).toEqual([1]);
    await feed.ready();
    expect(() => feed.take()).toThrow("no more");
    expect([feed.ready(), feed.take()]).toEqual([undefined, undefined]);
  });

  it("lets the iterator know that its reader leaves", async () => {
    let isLeft = false;
    const left = async function* () {
      try {
        yield [1];
      } finally {
        isLeft = true;
      }
    };
    const feed = feedOf(left());
    await feed.ready();
    await feed.return();
    expect([isLeft, feed.take()]).toEqual([true, undefined]);
  });
});
