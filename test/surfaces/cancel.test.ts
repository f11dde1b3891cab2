/** Clients that go away, before and after the first chunk: the work ends, and nothing is left behind. */
import { queryObjects } from "node:v8";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { until } from "../support/collect.ts";
import { DOORS, type DoorClient, openDoor, type Params } from "../support/doors.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";

const user = (value: string) => ({ role: Role.USER, content: [{ kind: { case: "text" as const, value } }] });
const STALL: Params = { model: "sandbox/fault-stall", messages: [user("one two three four five")] };
const NEVER: Params = {
  model: "sandbox/echo",
  messages: [user("one two three")],
  extra: { sandbox: { start_delay_ms: 600_000 } },
};
const PACED: Params = {
  model: "sandbox/echo",
  messages: [user("one two three four five six seven eight nine ten")],
  extra: { sandbox: { token_delay_ms: 3 } },
};

/** How many streams are opened and dropped on each door. */
const STREAMS = 1_000;
/** How many of them at once. */
const AT_ONCE = 50;

describe("cancel", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(async () => {
    await gateway.stop();
  });
  const idle = () => until(() => gateway.openCalls === 0, "no open call");
  const withDoor = async (name: DoorClient["name"], work: (door: DoorClient) => Promise<void>): Promise<void> => {
    const door = openDoor(name, gateway.url);
    try {
      await work(door);
    } finally {
      door.close();
    }
  };

  it.each(DOORS)("%s: a whole call ends when its client goes away", (name) =>
    withDoor(name, async (door) => {
      const client = new AbortController();
      const call = door.complete(STALL, { signal: client.signal }).catch((thrown: unknown) => thrown);
      await until(() => gateway.openCalls === 1, "one open call");
      client.abort();
      expect(await call).toBeInstanceOf(Error);
      await idle();
      await until(() => gateway.lines.at(-1)?.["reason"] === "CANCELLED", "a line that says so");
    }));

  it.each(DOORS)("%s: a stream ends when its client goes away before the first chunk", (name) =>
    withDoor(name, async (door) => {
      const client = new AbortController();
      const next = door
        .stream(NEVER, { signal: client.signal })
        .next()
        .catch((thrown: unknown) => thrown);
      await until(() => gateway.openCalls === 1, "one open call");
      client.abort();
      expect(await next).toBeInstanceOf(Error);
      await idle();
    }));

  it.each(DOORS)("%s: a stream ends when its client goes away after the first chunk", (name) =>
    withDoor(name, async (door) => {
      const client = new AbortController();
      const stream = door.stream(STALL, { signal: client.signal });
      expect((await stream.next()).done).toBe(false);
      client.abort();
      await idle();
      await stream.return(undefined).catch(() => undefined);
    }));

  it.each(DOORS)("%s: a stream ends when its reader breaks off", (name) =>
    withDoor(name, async (door) => {
      for await (const chunk of door.stream(STALL)) {
        expect(chunk.choices).toHaveLength(1);
        break;
      }
      await idle();
    }));

  it.each(DOORS)(
    `%s: ${STREAMS} streams dropped at random moments leave no call, timer, listener or connection behind`,
    (name) =>
      withDoor(name, async (door) => {
        const timersBefore = countTimers();
        const signalsBefore = countSignals();
        const warnings: Error[] = [];
        const warned = (warning: Error): void => {
          if (warning.name === "MaxListenersExceededWarning") warnings.push(warning);
        };
        process.on("warning", warned);
        let seed = 1;
        const random = (limit: number): number => {
          seed = (seed * 48_271) % 2_147_483_647;
          return seed % limit;
        };
        // Each moment is so many chunks and milliseconds after the start: by the clock alone, a busy machine would send nothing.
        const drop = async (): Promise<void> => {
          const client = new AbortController();
          let chunksLeft = random(12);
          const breaksOff = random(2) === 0;
          const abortSoon = (): void => void setTimeout(() => client.abort(), random(5));
          if (chunksLeft === 0) abortSoon();
          try {
            for await (const _ of door.stream(PACED, { signal: client.signal })) {
              chunksLeft -= 1;
              if (chunksLeft !== 0) continue;
              if (breaksOff) break;
              abortSoon();
            }
          } catch (thrown) {
            expect(client.signal.aborted, String(thrown)).toBe(true);
          }
        };
        for (let done = 0; done < STREAMS; done += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, drop));
        await idle();
        const lines = gateway.lines.filter(
          (line) => line["door"] === name && line["operation"] === "StreamChatCompletion",
        );
        expect(lines.length).toBeGreaterThanOrEqual(STREAMS * 0.9);
        door.close();
        await until(() => gateway.openConnections === 0, "no open connection");
        await until(() => countTimers() <= timersBefore, `no more than ${timersBefore} timers`);
        // Each call has several signals, and a listener that stays keeps one of them.
        await until(() => countSignals() < signalsBefore + AT_ONCE, `about ${signalsBefore} signals`);
        process.off("warning", warned);
        expect(warnings).toEqual([]); // Node warns of listeners that pile up.
      }),
    300_000, // A minute was too short on a machine that had much else to do.
  );
});

/** Signals that something still refers to; those that nothing does are collected first. */
const countSignals = (): number => queryObjects(AbortSignal, { format: "count" });
const countTimers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
