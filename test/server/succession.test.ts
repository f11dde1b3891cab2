import { describe, expect, it, vi } from "vitest";
import { createSuccession, type Successor } from "../../src/server/succession.ts";
import { call, createInbox, openSession, openStream, serve } from "./harness.ts";

/** A successor whose requests the test answers, and which is idle when the test says so. */
function createSuccessor() {
  const { handler, next } = createInbox();
  const { promise, resolve } = Promise.withResolvers<void>();
  const successor: Successor = { handler, streamHandler: () => undefined, idle: () => promise };
  return { successor, next, becomeIdle: resolve };
}

describe("createSuccession()", () => {
  it("leaves requests where they came, on both protocols, and forgets what was replaced when it is done", async () => {
    const first = createSuccessor();
    const second = createSuccessor();
    const succession = createSuccession(first.successor);
    const server = await serve(succession.handler);
    const one = call(server, "/one");
    const { response: toOne } = await first.next();
    const { stream, answer: two } = openStream(await openSession(server), "/two");
    stream.end();
    const { response: toTwo } = await first.next();

    succession.replace(second.successor);
    expect(succession.current).toBe(second.successor);
    const three = call(server, "/three");
    (await second.next()).response.end("second");
    expect((await three).text).toBe("second");

    first.becomeIdle();
    toOne.end("first");
    expect((await one).text).toBe("first");
    expect(succession.alive).toEqual([first.successor, second.successor]);
    toTwo.end("first");
    expect((await two).text).toBe("first");
    await vi.waitFor(() => expect(succession.alive).toEqual([second.successor]));
  });

  it("waits for what goes on behind an exchange that is over", async () => {
    const first = createSuccessor();
    const second = createSuccessor();
    const succession = createSuccession(first.successor);
    const server = await serve(succession.handler);
    const answer = call(server, "/");
    const { response } = await first.next();
    const closed = new Promise((resolve) => response.once("close", resolve));
    succession.replace(second.successor);
    response.end("first");
    await Promise.all([answer, closed]);
    expect(succession.alive).toEqual([first.successor, second.successor]);
    first.becomeIdle();
    await vi.waitFor(() => expect(succession.alive).toEqual([second.successor]));
  });

  it("forgets at once what had no requests, also where it comes back", async () => {
    const first = createSuccessor();
    const second = createSuccessor();
    first.becomeIdle();
    second.becomeIdle();
    const succession = createSuccession(first.successor);
    succession.replace(second.successor);
    succession.replace(first.successor);
    await vi.waitFor(() => expect(succession.alive).toEqual([first.successor]));
  });
});
