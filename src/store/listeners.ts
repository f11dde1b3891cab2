import type { Channel } from "./store.ts";

/** Who listens on which channel. */
export interface Listeners {
  add(channel: Channel, heard: (payload: string) => void, missed?: () => void): () => void;
  /** Calls who listens on a channel. */
  tell(channel: Channel, payload: string): void;
  /** Calls everybody who wants to know that something may have been missed. */
  tellMissed(): void;
}

/** One who listens. */
interface Listener {
  readonly channel: Channel;
  readonly heard: (payload: string) => void;
  readonly missed: (() => void) | undefined;
}

/** Makes an empty list of them. */
export function createListeners(): Listeners {
  const listeners = new Set<Listener>();
  return {
    add(channel, heard, missed) {
      const listener = { channel, heard, missed };
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    tell(channel, payload) {
      for (const listener of [...listeners]) if (listener.channel === channel) listener.heard(payload);
    },
    tellMissed() {
      for (const { missed } of [...listeners]) missed?.();
    },
  };
}
