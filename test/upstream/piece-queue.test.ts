import { describe, expect, it } from "vitest";
import { PieceQueue } from "../../src/upstream/piece-queue.ts";

function createQueue() {
  const calls: string[] = [];
  const note = (call: string) => () => void calls.push(call);
  return {
    calls,
    queue: new PieceQueue({ pause: note("pause"), resume: note("resume"), abandon: note("abandon") }),
  };
}

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
const read = async (queue: PieceQueue): Promise<unknown> => {
  await queue.ready();
  const piece = queue.take();
  return piece === undefined ? "end" : [...piece];
};

describe("PieceQueue", () => {
  it("gives what came in one turn as one piece", async () => {
    const { queue } = createQueue();
    const first = read(queue);
    for (const value of [1, 2, 3]) queue.push(bytes(value));
    expect(await first).toEqual([1, 2, 3]);
  });

  it("gives of much the beginning, cut between pieces, and the rest without a wait", async () => {
    const { queue } = createQueue();
    for (let count = 0; count < 5; count++) queue.push(new Uint8Array(6_000).fill(count));
    queue.end();
    await queue.ready();
    expect(queue.take()).toEqual(Buffer.concat([0, 1, 2].map((value) => Buffer.alloc(6_000, value))));
    expect(queue.ready()).toBeUndefined();
    expect(queue.take()?.length).toBe(12_000);
    expect(queue.take()).toBeUndefined();
  });

  it("gives a piece whole that is long by itself", () => {
    const { queue } = createQueue();
    queue.push(new Uint8Array(40_000));
    expect(queue.take()?.length).toBe(40_000);
  });

  it("gives all of it at once, however much, where all has come", () => {
    const { queue } = createQueue();
    for (let count = 0; count < 5; count++) queue.push(new Uint8Array(6_000));
    expect(queue.all()).toBeUndefined();
    queue.end();
    expect([queue.all()?.length, queue.all()?.length]).toEqual([30_000, 0]);
  });

  it("takes an empty piece for none, and not for the end", async () => {
    const { queue } = createQueue();
    const first = read(queue);
    queue.push(bytes());
    await new Promise(setImmediate);
    queue.push(bytes(1));
    queue.end();
    expect([await first, await read(queue)]).toEqual([[1], "end"]);
  });

  it("gives what is there before a fault, and the fault to whoever asks further", async () => {
    const { queue } = createQueue();
    queue.push(bytes(1));
    queue.fail(() => new Error("cut"));
    expect(await read(queue)).toEqual([1]);
    await expect(read(queue)).rejects.toThrow("cut");
    await expect(read(queue)).rejects.toThrow("cut");
  });

  it("pauses its source once while there is much to read, and lets it go on after that", async () => {
    const { calls, queue } = createQueue();
    for (let count = 0; count < 3; count++) queue.push(new Uint8Array(64 * 1024));
    expect(calls).toEqual(["pause"]);
    for (let count = 0; count < 3; count++) {
      expect(calls).toEqual(["pause"]);
      await read(queue);
    }
    expect(calls).toEqual(["pause", "resume"]);
  });

  it("wakes its reader at the end, and no sooner", async () => {
    const { queue } = createQueue();
    const first = read(queue);
    queue.push(bytes());
    queue.end();
    expect(await first).toBe("end");
    expect(queue.ready()).toBeUndefined();
  });

  it("is read by a loop, and tells its source when that is left", async () => {
    const { calls, queue } = createQueue();
    queue.push(bytes(1));
    for await (const piece of queue) {
      expect([...piece]).toEqual([1]);
      break;
    }
    expect(calls).toEqual(["abandon"]);
  });
});
