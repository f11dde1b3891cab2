import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/config/config-error.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { StoreError, storeFault } from "../../src/store/store-error.ts";
import { type Channel, openChannel } from "../../src/workers/channel.ts";
import { failureOf } from "../support/collect.ts";
import { createPipes } from "../support/crew.ts";

interface Service {
  readonly add: (a: number, b: number) => number;
  readonly later: (ms: number) => Promise<string>;
  readonly fail: () => Promise<never>;
  readonly note: (text: string) => void;
  readonly copy: (value: unknown) => unknown;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A channel, and what its other end was told. */
function open(error: () => Error = () => new Error("it failed")) {
  const pipes = createPipes();
  const notes: string[] = [];
  const service: Service = {
    add: (a, b) => a + b,
    later: (ms) => new Promise((resolve) => setTimeout(() => resolve(`after ${ms}`), ms)),
    fail: () => Promise.reject(error()),
    note: (text) => void notes.push(text),
    copy: (value) => value,
  };
  const cloned = new Set(["copy"]);
  openChannel<object>(pipes.ends[1], service, cloned);
  const channel: Channel<Service> = openChannel(pipes.ends[0], {}, cloned);
  return { channel, pipes, notes };
}

describe("openChannel()", () => {
  it("answers each question with its own answer, whichever is ready first", async () => {
    const { channel } = open();
    const answers = await Promise.all([channel.ask("later", 20), channel.ask("add", 1, 2), channel.ask("later", 1)]);
    expect(answers).toEqual(["after 20", 3, "after 1"]);
  });

  it("sends what is asked in one turn together, and answers it together", async () => {
    const { channel, pipes } = open();
    const sums = await Promise.all(Array.from({ length: 50 }, (_, at) => channel.ask("add", at, 1)));
    expect(sums.at(-1)).toBe(50);
    expect(pipes.sent).toEqual([1, 1]);
  });

  it("sends what is told before the turn ends, after what was asked before it", async () => {
    const { channel, pipes, notes } = open();
    const sum = channel.ask("add", 1, 1);
    channel.tell("note", "one");
    channel.tell("note", "two");
    await Promise.resolve();
    await new Promise((resolve) => process.nextTick(resolve));
    expect(pipes.sent).toEqual([1, 0]);
    expect(await sum).toBe(2);
    expect(notes).toEqual(["one", "two"]);
  });

  it("clones what JSON does not take", async () => {
    const { channel } = open();
    const value = { map: new Map([["a", { b: undefined }]]), big: 2n ** 60n, bytes: Buffer.from("\0é"), far: Infinity };
    expect(await channel.ask("copy", value)).toEqual(value);
  });

  it("fails what was asked of a process that has ended, and what is asked then", async () => {
    const { channel, pipes, notes } = open();
    const asked = channel.ask("later", 1);
    await nextTurn();
    channel.close(new Error("it has ended"));
    await expect(asked).rejects.toThrow("it has ended");
    await expect(channel.ask("add", 1, 1)).rejects.toThrow("it has ended");
    channel.tell("note", "nobody");
    await nextTurn();
    await nextTurn();
    expect([notes, pipes.sent[0]]).toEqual([[], 1]);
  });
});

describe("an error", () => {
  const over = async (error: Error): Promise<unknown> => failureOf(open(() => error).channel.ask("fail"));

  it("keeps its reason, its message and its details", async () => {
    const details = { retryAfterMs: 7, param: "model", violations: [{ path: "a", description: "b", rule: "c" }] };
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(Reason.UNAVAILABLE, Reason.NOT_FOUND), fc.string(), async (reason, message) => {
        const found = (await over(new GatewayError(reason, message, details))) as GatewayError;
        expect(found).toBeInstanceOf(GatewayError);
        expect([found.reason, found.message, found.details]).toEqual([reason, message.toWellFormed(), details]);
      }),
      { numRuns: 20 },
    );
  });

  it("keeps the words of a store that can't be opened, behind the error that it led to", async () => {
    const cause = new StoreError("the folder is taken", { cause: new Error("SQLITE_BUSY") });
    const found = await over(new GatewayError(Reason.UNAVAILABLE, "the database can't be opened", { cause }));
    expect(storeFault(found)).toBe("the folder is taken");
  });

  it("keeps the problems of a configuration", async () => {
    const problems = [{ file: "parley.yaml", path: "auto.models[0]", message: "is not there" }];
    const found = (await over(new ConfigError(problems, "parley.yaml"))) as ConfigError;
    expect(found).toBeInstanceOf(ConfigError);
    expect([found.problems, found.file]).toEqual([problems, "parley.yaml"]);
  });

  it("keeps the system's code, and the stack of a fault", async () => {
    const error = Object.assign(new TypeError("listen EADDRINUSE"), { code: "EADDRINUSE" });
    expect(await over(error)).toMatchObject({ name: "TypeError", code: "EADDRINUSE", stack: error.stack });
  });
});
