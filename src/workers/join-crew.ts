import { createListeners } from "../store/listeners.ts";
import type { Channel } from "./channel.ts";
import type { Crew, CrewParts } from "./crew.ts";
import { createGivenConnections } from "./given-connections.ts";
import type { PrimaryService, StartOrder, WorkerService } from "./protocol.ts";
import { createRemoteLimiter } from "./remote-limiter.ts";

/** What the primary asks of a worker besides its start and its end. */
export type CrewService = Pick<WorkerService, "recall" | "heard" | "remember" | "readMetrics" | "flushRequestLog">;

/** Makes a worker one of the crew: what it has of the others, and what they have of it. */
export function joinCrew(
  primary: Channel<PrimaryService>,
  { member, address }: Pick<StartOrder, "member" | "address">,
): { readonly crew: Crew; readonly service: CrewService } {
  const listeners = createListeners();
  const limiter = createRemoteLimiter(primary);
  const remembering: ((memory: Parameters<CrewService["remember"]>[0]) => void)[] = [];
  const parts = Promise.withResolvers<CrewParts>();
  return {
    crew: {
      member,
      connections: createGivenConnections(primary, address),
      readWhole: () => primary.ask("readMetrics"),
      async openStore() {
        const { openJoinedStore } = await import("../store/sqlite/joined-store.ts");
        await primary.ask("openStore");
        return openJoinedStore({
          client: {
            query: async (statement, parameters) => primary.ask("query", statement, parameters.map(checkParameter)),
            close: () => Promise.resolve(),
          },
          listeners,
          tell(channel, payload) {
            listeners.tell(channel, payload);
            primary.tell("notify", channel, payload);
          },
        });
      },
      limiter,
      sharing: {
        tell: (memory) => primary.tell("keep", memory),
        listen: (heard) => void remembering.push(heard),
      },
      flushRequestLogs: () => primary.ask("flushRequestLogs").catch(() => undefined),
      join: parts.resolve,
    },
    service: {
      recall: limiter.recall,
      heard: listeners.tell,
      remember(memory) {
        for (const heard of remembering) heard(memory);
      },
      readMetrics: async () => (await parts.promise).readMetrics(),
      flushRequestLog: async () => (await parts.promise).flushRequestLog(),
    },
  };
}

/** What the schema has in its columns, and JSON takes as it is; or a list of that. */
function checkParameter(value: unknown): unknown {
  if (typeof value === "string" || typeof value === "number" || value === null) return value;
  if (Array.isArray(value)) return value.map(checkParameter);
  throw new TypeError(`a parameter can't be of type ${typeof value}`);
}
