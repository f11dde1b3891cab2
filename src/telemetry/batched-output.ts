import { type DestinationStream, destination } from "pino";

/** Lines wait until there are so many characters of them (pino's largest write is 16 KiB), or so many milliseconds have passed. */
const BATCH_LENGTH = 15 * 1024;
const BATCH_MS = 100;

/** What may wait for a reader that has stalled, in bytes; lines above it are lost. */
const MAX_WAITING = 16 * 1024 * 1024;

/** Where lines go, many at a time. */
export interface BatchedOutput extends DestinationStream {
  /** Calls back when every line so far has been written, or with the error that keeps it from that. */
  flush(done: (error?: Error) => void): void;
}

let output: BatchedOutput | undefined;

/**
 * Standard output, of which a process has one. Lines are written in the background, so that a slow reader holds up nobody, and those that
 * wait when the process ends are written before. The batches are ours, because pino's stream looks through all that waits whenever it
 * gets a line.
 */
export function standardOutput(): BatchedOutput {
  output ??= openOutput();
  return output;
}

function openOutput(): BatchedOutput {
  // Any minLength above 0 makes flush() wait for the write under way.
  const stream = destination({ dest: 1, sync: false, minLength: 1, maxLength: MAX_WAITING });
  let lines = "";
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const send = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (lines === "" || isClosed) return;
    const batch = lines;
    lines = "";
    stream.write(batch);
  };
  stream.once("close", () => {
    isClosed = true;
  });
  // Before pino's own listeners, which write what its stream has, and close it where nothing is left to do.
  process.prependListener("beforeExit", send);
  process.prependListener("exit", send);
  return {
    write(line) {
      lines += line;
      if (lines.length >= BATCH_LENGTH) send();
      else timer ??= setTimeout(send, BATCH_MS).unref();
    },
    flush(done) {
      send();
      stream.flush(done);
    },
  };
}
