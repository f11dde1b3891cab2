import { type ChildProcess, fork } from "node:child_process";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { type Channel, openChannel } from "./channel.ts";
import { WORKER_COMMAND } from "./command.ts";
import { forwardLines, type LineSink } from "./lines.ts";
import { PIPE, pipeOver } from "./pipe.ts";
import { CLONED, type PrimaryService, type WorkerService } from "./protocol.ts";
import { type Ended, WorkerEndedError } from "./worker-ended.ts";

/** A worker as the primary sees it. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  readonly channel: Channel<WorkerService>;
  /** Resolves when it is gone, and all that it said and wrote is dealt with. */
  readonly ended: Promise<Ended>;
  /** Gives it a connection, under a number. This process keeps hold of it, too. */
  give(id: number, socket: Socket): void;
  /** Ends it at once. */
  kill(): void;
}

/**
 * Starts a worker, for which `service` is done: this program once more, with the same options of Node. `log`: where its lines go.
 *
 * Connections go by the channel that Node has for them, which waits for each to arrive; all else by a pipe of its own.
 */
export function startWorkerProcess(service: PrimaryService, log: LineSink): WorkerProcess {
  const child = fork(process.argv[1] ?? "", [WORKER_COMMAND], { stdio: ["ignore", "pipe", "inherit", "ipc", "pipe"] });
  forwardLines(child.stdout as Readable, log);
  const channel = openChannel<WorkerService>(pipeOver(child.stdio[PIPE] as Socket), service, CLONED);
  child.once("exit", (code, signal) => channel.close(new WorkerEndedError(endedOf(code, signal))));
  // It can't be started, or be sent something: its end tells.
  child.on("error", () => undefined);
  return {
    pid: child.pid,
    channel,
    ended: endOf(child),
    give: (id, socket) => void child.send(id, socket, { keepOpen: true }, () => undefined),
    kill: () => void child.kill("SIGKILL"),
  };
}

const endOf = (child: ChildProcess): Promise<Ended> =>
  new Promise((resolve) => {
    child.once("close", (code, signal) => resolve(endedOf(code, signal)));
  });

/** One of the two is there. */
const endedOf = (code: number | null, signal: NodeJS.Signals | null): Ended => code ?? signal ?? 0;
