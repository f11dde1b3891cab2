import type { Limiter } from "../admission/limits/limiter.ts";
import { FREE, NO_STANDING } from "../admission/limits/memory-limiter.ts";
import { isUnlimited } from "../admission/limits/quota.ts";
import type { Channel } from "./channel.ts";
import type { PrimaryService } from "./protocol.ts";

/** Makes a worker's limiter: it asks the primary, which knows the calls of all workers. */
export function createRemoteLimiter(primary: Pick<Channel<PrimaryService>, "ask" | "tell">): Limiter {
  let calls = 0;
  return {
    isLocal: false,
    async reserve(caller, quota, ask) {
      if (isUnlimited(quota)) return FREE;
      const call = ++calls;
      const verdict = await primary.ask("reserve", call, caller, quota, ask);
      if (!verdict.granted) return verdict;
      let isSettled = false;
      return {
        granted: true,
        standing: verdict.standing,
        settle(use) {
          if (isSettled) return;
          isSettled = true;
          // Told, not asked: the primary has to know of it before the caller comes back.
          primary.tell("settle", call, use);
        },
      };
    },
    standing: (caller, quota) => (isUnlimited(quota) ? NO_STANDING : primary.ask("standing", caller, quota)),
    close: () => Promise.resolve(),
  };
}
