import { setImmediate } from "node:timers";
import { sleep } from "../../lib/sleep.ts";
import { connectRedis, type ScriptedClient } from "./redis-client.ts";

/** A connection to Redis that is made again whenever it is lost. While there is none, commands are refused at once. */
export interface RedisLink {
  /** Whether commands are taken, and what was owed is told. */
  readonly isUp: boolean;
  /** Resolves when the first try to connect has ended, however it did. */
  readonly tried: Promise<void>;
  /** Sends a command. It rejects when it failed, and when it was not answered in time; then the connection is given up, too. */
  run<T>(send: (client: ScriptedClient) => Promise<T>): Promise<T>;
  /** Waits for what is under way, and disconnects. */
  close(): Promise<void>;
}

/** What a link is made of. */
export interface RedisLinkOptions {
  readonly redis: typeof import("redis");
  readonly url: string;
  /** Longest time that a command may take. */
  readonly timeoutMs: number;
  /** Longest time that connecting may take. */
  readonly connectMs: number;
  /** Called with each new connection, before it is up: what it sends is sent first. */
  readonly prepare: () => Promise<void>;
  /** Called when the link has come up, and when it has gone down, once each; and when the first try has failed. */
  readonly changed: (error: Error | undefined) => void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
/** In how many steps the time limit of commands passes. */
const STEPS = 10;

interface Connection {
  readonly client: ScriptedClient;
  readonly lose: (error: Error) => void;
}

/** A command that was not answered yet, and until when it may take by the time in which answers could be heard. */
interface Open {
  readonly untilMs: number;
  readonly reject: (error: Error) => void;
}

/** Makes a link, which begins to connect at once. */
export function createRedisLink({ redis, url, timeoutMs, connectMs, prepare, changed }: RedisLinkOptions): RedisLink {
  const closing = new AbortController();
  const tried = Promise.withResolvers<void>();
  // The oldest comes first. Redis answers in order, so that the oldest is overdue where any is.
  const open = new Set<Open>();
  let connection: Connection | undefined;
  let isUp = false;
  let isAnnounced: boolean | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  let watch: NodeJS.Timeout | undefined;
  /** Time in which answers could be heard. Where this process is held up, neither are they read, nor may what it sends have left it. */
  let heardMs = 0;
  let answeredAll: (() => void) | undefined;

  function announce(error: Error | undefined): void {
    const now = error === undefined;
    if (isAnnounced === now || closing.signal.aborted) return;
    isAnnounced = now;
    changed(error);
  }

  function ended(command: Open): void {
    open.delete(command);
    if (open.size === 0) answeredAll?.();
  }

  /** Takes it for lost, at once: nothing is sent there any more, and nobody waits for it. */
  function lose(lost: Connection, error: Error): void {
    lost.lose(error);
    if (connection !== lost) return;
    connection = undefined;
    isUp = false;
    for (const command of open) {
      ended(command);
      command.reject(error);
    }
  }

  /** Lets time pass while commands are open, in steps of which each counts once, however long it took. */
  function watchOldest(): void {
    if (open.size === 0 || watch !== undefined) return;
    watch = setTimeout(() => {
      // What lies there unread is read first.
      setImmediate(() => {
        watch = undefined;
        heardMs += timeoutMs / STEPS;
        const [oldest] = open;
        if (oldest !== undefined && oldest.untilMs <= heardMs && connection !== undefined)
          lose(connection, new Error(`no answer within ${timeoutMs} ms`));
        watchOldest();
      });
    }, timeoutMs / STEPS);
    watch.unref();
  }

  /** Connects, and stays until the connection is lost, with which it rejects. */
  async function stay(): Promise<never> {
    const lost = Promise.withResolvers<never>();
    // It may be lost when nobody listens.
    lost.promise.catch(() => undefined);
    let mine: Connection | undefined;
    const fail = (error: Error): void => (mine === undefined ? lost.reject(error) : lose(mine, error));
    const connecting = connectRedis({ redis, url, connectMs, lost: fail });
    // A server that takes the connection and says nothing would never be given up otherwise.
    const close = (): void => fail(new Error("the link is closed"));
    closing.signal.addEventListener("abort", close, { once: true });
    const timer = setTimeout(() => lost.reject(new Error(`not connected within ${connectMs} ms`)), connectMs);
    try {
      const client = await Promise.race([connecting.client, lost.promise]);
      clearTimeout(timer);
      mine = { client, lose: lost.reject };
      connection = mine;
      await Promise.race([prepare(), lost.promise]);
      // Whether it was lost in the same moment.
      if (connection === mine) {
        isUp = true;
        pauseMs = FIRST_PAUSE_MS;
        announce(undefined);
        tried.resolve();
      }
      return await lost.promise;
    } catch (error) {
      fail(error as Error);
      throw error;
    } finally {
      clearTimeout(timer);
      closing.signal.removeEventListener("abort", close);
      connecting.client.catch(() => undefined);
      connecting.destroy();
    }
  }

  async function keepConnected(): Promise<void> {
    while (!closing.signal.aborted) {
      await stay().catch(announce);
      tried.resolve();
      // So that not all processes come back in the same moment. Closing ends it early.
      await sleep(pauseMs * (0.5 + Math.random() / 2), closing.signal).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }
  void keepConnected();

  return {
    get isUp() {
      return isUp;
    },
    tried: tried.promise,
    run<T>(send: (client: ScriptedClient) => Promise<T>) {
      return new Promise<T>((resolve, reject) => {
        const on = connection;
        if (on === undefined) {
          reject(new Error("not connected"));
          return;
        }
        const command: Open = { untilMs: heardMs + timeoutMs, reject };
        open.add(command);
        watchOldest();
        send(on.client).then(
          (reply) => {
            ended(command);
            resolve(reply);
          },
          (error: Error) => {
            ended(command);
            // An answer that is an error is a server that can't serve: one that loads, has become read-only, or is full.
            lose(on, error);
            reject(error);
          },
        );
      });
    },
    async close() {
      isUp = false;
      if (open.size > 0) await new Promise<void>((resolve) => (answeredAll = resolve));
      closing.abort(new Error("the link is closed"));
      clearTimeout(watch);
    },
  };
}
