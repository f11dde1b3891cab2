import type { RunningGateway } from "../compose.ts";
import type { Settings } from "../config/settings.ts";
import { deepFreeze } from "../lib/deep-freeze.ts";
import { createLogger, flushLogger } from "../telemetry/logger.ts";
import { type Channel, openChannel } from "../workers/channel.ts";
import { joinCrew } from "../workers/join-crew.ts";
import { openWorkerPipe } from "../workers/pipe.ts";
import { CLONED, type PrimaryService, type WorkerService } from "../workers/protocol.ts";
import type { Surroundings } from "./surroundings.ts";

/** Signals that a terminal or a service manager sends to all processes. What comes of them is for the primary to say. */
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** Serves as one of the workers of `parley serve`, which starts this process, until it is told to stop. Returns the exit status. */
export async function work({ stderr }: Pick<Surroundings, "stderr">): Promise<number> {
  for (const signal of SIGNALS) process.on(signal, () => undefined);
  if (process.send === undefined) {
    stderr.write('workers are started by "parley serve --workers <number>"\n');
    return 1;
  }
  // Whoever started it may be gone already.
  if (!process.connected) die();
  process.once("disconnect", die);
  const stopped = Promise.withResolvers<void>();
  let end: (() => Promise<void>) | undefined;
  // The rest of the service comes with the start: nothing else is asked before.
  const service: { -readonly [Name in keyof WorkerService]?: WorkerService[Name] } = {
    async start({ settings, ...order }) {
      const { crew, service: ofCrew } = joinCrew(primary, order);
      const logger = createLogger({ level: settings.logLevel, worker: order.member.number });
      // Loaded here, when it is known that there is something to serve.
      const { startGateway } = await import("../compose.ts");
      const gateway = await startGateway(deepFreeze(settings), logger, undefined, crew);
      const reload = createReload(gateway);
      Object.assign(service, ofCrew, reload, { recordReload: gateway.recordReload });
      end = async () => {
        reload.cancel();
        await gateway.stop();
        await flushLogger(logger);
      };
      return { url: gateway.url, isOpen: gateway.isOpen };
    },
    stop: stopped.resolve,
  };
  const primary: Channel<PrimaryService> = openChannel(openWorkerPipe(), service, CLONED);
  await stopped.promise;
  await end?.();
  return 0;
}

/**
 * Ends this process, whose primary is gone, and with it all that it has in common with the others. Not by an exit: that waits for threads,
 * and was seen to wait for ever where one was just starting.
 */
function die(): void {
  process.kill(process.pid, "SIGKILL");
}

/** A change of the settings in two steps: it is made ready, and decided on when all workers are. */
function createReload(gateway: Pick<RunningGateway, "reload">) {
  let pending: { readonly change: Promise<void>; readonly agreement: PromiseWithResolvers<void> } | undefined;
  const cancel = (): void => pending?.agreement.reject(new Error("the change was called off"));
  return {
    async prepare(settings: Settings): Promise<void> {
      const agreement = Promise.withResolvers<void>();
      const ready = Promise.withResolvers<void>();
      const change = gateway.reload(deepFreeze(settings), () => {
        ready.resolve();
        return agreement.promise;
      });
      change.catch(ready.reject);
      pending = { change, agreement };
      await ready.promise;
    },
    async decide(isAgreed: boolean): Promise<void> {
      if (pending === undefined) return;
      const { change, agreement } = pending;
      if (isAgreed) {
        agreement.resolve();
        await change;
      } else {
        cancel();
        await change.catch(() => undefined);
      }
    },
    cancel,
  };
}
