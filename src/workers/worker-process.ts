import cluster, { type Worker } from "node:cluster";
import { type Channel, type Message, openChannel } from "./channel.ts";
import { WORKER_COMMAND } from "./command.ts";
import { forwardLines, type LineSink } from "./lines.ts";
import { CLONED, type PrimaryService, type WorkerService } from "./protocol.ts";
import { type Ended, WorkerEndedError } from "./worker-ended.ts";

/** A worker as the primary sees it. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  readonly channel: Channel<WorkerService>;
  /** Resolves when it is gone, and all that it wrote is passed on. */
  readonly ended: Promise<Ended>;
  /** Ends it at once. */
  kill(): void;
}

/** Starts a worker, for which `service` is done. `log`: where its lines go. */
export function startWorkerProcess(service: PrimaryService, log: LineSink): WorkerProcess {
  cluster.setupPrimary({
    args: [WORKER_COMMAND],
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const worker = cluster.fork();
  const { process: child } = worker;
  if (child.stdout !== null) forwardLines(child.stdout, log);
  const channel = openChannel<WorkerService>(pipeOf(worker), service, CLONED);
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code, signal) => resolve(endedOf(code, signal)));
  });
  child.once("exit", (code, signal) => channel.close(new WorkerEndedError(endedOf(code, signal))));
  // It can't be started, or be sent something: its end tells.
  child.on("error", () => undefined);
  return { pid: child.pid, channel, ended, kill: () => void child.kill("SIGKILL") };
}

/** One of the two is there. */
const endedOf = (code: number | null, signal: NodeJS.Signals | null): Ended => code ?? signal ?? 0;

function pipeOf(worker: Worker): Parameters<typeof openChannel>[0] {
  return {
    send: (messages) => {
      // It may have ended a moment ago.
      if (worker.isConnected()) worker.send([...messages], () => undefined);
    },
    receive: (heard) => worker.on("message", (messages) => heard(messages as readonly Message[])),
  };
}
