/** Workers without processes: what they and their primary say goes through text, as it does between processes. */
import type { Settings } from "../../src/config/settings.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { type Channel, type Message, openChannel, type Pipe } from "../../src/workers/channel.ts";
import type { Crew } from "../../src/workers/crew.ts";
import { joinCrew } from "../../src/workers/join-crew.ts";
import { createWorkerDesk } from "../../src/workers/primary-service.ts";
import { CLONED, type PrimaryService, type WorkerService } from "../../src/workers/protocol.ts";
import { createSharedState } from "../../src/workers/shared-state.ts";

/** Both ends of a way by which messages go as text. */
export interface PipePair {
  readonly ends: readonly [Pipe, Pipe];
  /** How many texts went, from the first end and from the second. */
  readonly sent: readonly [number, number];
}

/** Makes one. What is sent arrives later, and in order. */
export function createPipes(): PipePair {
  const heard: ((messages: readonly Message[]) => void)[] = [];
  const sent: [number, number] = [0, 0];
  const end = (own: 0 | 1): Pipe => ({
    send(messages) {
      sent[own] += 1;
      const text = JSON.stringify(messages);
      setImmediate(() => heard[1 - own]?.(JSON.parse(text) as Message[]));
    },
    receive(listener) {
      heard[own] = listener;
    },
  });
  return { ends: [end(0), end(1)], sent };
}

/** A worker without a process. */
export interface TestWorker {
  readonly crew: Crew;
  /** Ends it as a kill does. */
  kill(): Promise<void>;
}

/** A primary and its workers, in this process. */
export interface TestCrew {
  readonly workers: readonly TestWorker[];
  close(): Promise<void>;
}

/** Makes so many workers, as these settings have them. */
export function createCrew(settings: Settings, count: number): TestCrew {
  const shared = createSharedState(settings, createLogger({ level: "silent" }));
  const channels: Channel<WorkerService>[] = [];
  const desks = Array.from({ length: count }, (_, at) =>
    createWorkerDesk({
      shared,
      door: { taken: () => undefined, closed: () => undefined },
      recall: (caller) => channels[at]!.ask("recall", caller),
      others: () => channels.filter((_channel, other) => other !== at),
      readMetrics: async () => [],
    }),
  );
  const workers = desks.map((desk, at): TestWorker => {
    const [ofPrimary, ofWorker] = createPipes().ends;
    const service = {};
    const primary = openChannel<PrimaryService>(ofWorker, service, CLONED);
    const joined = joinCrew(primary, { member: { instance: "test", number: at + 1 }, address: settings.listen });
    Object.assign(service, joined.service);
    channels.push(openChannel<WorkerService>(ofPrimary, desk.service, CLONED));
    return {
      crew: joined.crew,
      async kill() {
        primary.close(new Error("it was killed"));
        await desk.close();
      },
    };
  });
  return {
    workers,
    async close() {
      await Promise.all(desks.map((desk) => desk.close()));
      await shared.close();
    },
  };
}
