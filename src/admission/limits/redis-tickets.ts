import type { RedisLink } from "./redis-link.ts";
import type { CallerKeys } from "./redis-scripts.ts";

/** The tickets of this process's calls: they are held in Redis for a while, and longer as long as they are renewed. */
export interface RedisTickets {
  hold(keys: CallerKeys, ticket: string, stream: boolean): void;
  release(keys: CallerKeys, ticket: string): void;
  /** Renews all of them, at once. Those that Redis has lost are there again then. */
  renew(link: RedisLink): Promise<void>;
}

/** Tickets that one script renews: a script that takes long would hold up others. */
const RENEWED_AT_ONCE = 500;

/** Makes the place where they are kept. */
export function createRedisTickets(leaseMs: number): RedisTickets {
  /** By the key of the caller's calls. */
  const held = new Map<string, { readonly keys: CallerKeys; readonly tickets: Map<string, boolean> }>();

  return {
    hold(keys, ticket, stream) {
      const known = held.get(keys.calls);
      if (known === undefined) held.set(keys.calls, { keys, tickets: new Map([[ticket, stream]]) });
      else known.tickets.set(ticket, stream);
    },
    release(keys, ticket) {
      const known = held.get(keys.calls);
      if (known?.tickets.delete(ticket) === true && known.tickets.size === 0) held.delete(keys.calls);
    },
    async renew(link) {
      const sent: Promise<number>[] = [];
      for (const { keys, tickets } of held.values()) {
        const args = [...tickets].flatMap(([ticket, stream]) => [ticket, stream ? "1" : "0"]);
        for (let at = 0; at < args.length; at += 2 * RENEWED_AT_ONCE) {
          const some = [String(leaseMs), ...args.slice(at, at + 2 * RENEWED_AT_ONCE)];
          sent.push(link.run((client) => client.renew(keys, some)));
        }
      }
      await Promise.all(sent);
    },
  };
}
