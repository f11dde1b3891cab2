import pg from "pg";
import { createListeners, type Listeners } from "../listeners.ts";
import type { Reach } from "../reach.ts";
import { CHANNELS, type Channel } from "../store.ts";
import { connectionOptions } from "./postgres-pool.ts";

/** What the channels are called in the database, which others may use, too. */
export const channelName = (channel: Channel): string => `parley_${channel}`;

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5000;
/** How often the connection is tried: nothing else is sent on it, and a server may vanish without a word. */
const PING_EVERY_MS = 15_000;
const PING_MS = 5000;

/** A connection that listens. */
export interface PostgresListener {
  readonly listen: Listeners["add"];
  close(): Promise<void>;
}

/**
 * Connects, and listens on all channels from then on. A connection that is lost is made again, as often as it takes, and who listens is
 * told. Fails when the first one can't be made.
 */
export async function startListener(url: string, reach: Reach): Promise<PostgresListener> {
  const listeners = createListeners();
  const names = new Map(CHANNELS.map((channel) => [channelName(channel), channel]));
  let client: pg.Client | undefined;
  let ping: NodeJS.Timeout | undefined;
  let again: NodeJS.Timeout | undefined;
  let reconnecting: Promise<void> | undefined;
  let isClosed = false;

  async function connect(): Promise<void> {
    const next = new pg.Client({ ...connectionOptions(url), query_timeout: PING_MS });
    // Before it is connected, the promise tells; after that, this is how its loss is heard of.
    next.on("error", (error) => lose(next, error));
    next.on("end", () => lose(next, undefined));
    next.on("notification", ({ channel, payload = "" }) => {
      const known = names.get(channel);
      if (known !== undefined) listeners.tell(known, payload);
    });
    try {
      await next.connect();
      for (const name of names.keys()) await next.query(`listen ${name}`);
    } catch (error) {
      await next.end().catch(() => undefined);
      throw error;
    }
    client = next;
    ping = setInterval(() => next.query("select 1").catch((error) => lose(next, error)), PING_EVERY_MS);
    ping.unref();
  }

  function lose(lost: pg.Client, error: unknown): void {
    // Said of a connection once, and not of one that could not be made.
    if (lost !== client) return;
    client = undefined;
    clearInterval(ping);
    void lost.end().catch(() => undefined);
    if (isClosed) return;
    reach.lost(error);
    retry(FIRST_DELAY_MS);
  }

  function retry(delayMs: number): void {
    again = setTimeout(() => {
      reconnecting = reconnect(delayMs);
    }, delayMs);
  }

  async function reconnect(delayMs: number): Promise<void> {
    try {
      await connect();
    } catch (error) {
      reach.lost(error);
      if (!isClosed) retry(Math.min(delayMs * 2, MAX_DELAY_MS));
      return;
    }
    if (isClosed) return;
    reach.found();
    listeners.tellMissed();
  }

  await connect();
  return {
    listen: listeners.add,
    async close() {
      isClosed = true;
      clearTimeout(again);
      await reconnecting;
      clearInterval(ping);
      const last = client;
      client = undefined;
      await last?.end().catch(() => undefined);
    },
  };
}
