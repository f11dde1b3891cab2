import { type BigIntStats, unwatchFile, watchFile } from "node:fs";
import { stat } from "node:fs/promises";
import { watchTerminal } from "./terminal.ts";

/** How often the file is looked at, in milliseconds. Asking for its state also works where the system tells of no changes. */
const LOOK_MS = 1_000;

/** How long after a change was seen the file is read, in milliseconds: many programs empty a file before they write to it. */
const WRITE_MS = 200;

/** Hears that the configuration is to be read again: by SIGHUP, and because its file is not what was read last. */
export interface ReloadRequests {
  /** Reads the configuration. What the file becomes after this began is a change. */
  reading<T>(read: () => Promise<T>): Promise<T>;
  /**
   * Calls `reload`, which must not fail, for each request from now on, and for what was requested before. There is one at a time; what
   * is requested meanwhile leads to one more.
   */
  begin(reload: () => Promise<void>): void;
  /** There are no more reloads. SIGHUP is taken on, and does nothing. */
  end(): void;
}

/**
 * Begins to listen for SIGHUP and to look at the file: an absolute path; it need not exist. SIGHUP does not end the process any more, but
 * for the one that comes because its terminal was closed.
 */
export function awaitReloadRequests(file: string): ReloadRequests {
  let readMark = ABSENT;
  let written: NodeJS.Timeout | undefined;
  let isRequested = false;
  let isReloading = false;
  let reload: (() => Promise<void>) | undefined;

  const run = async (): Promise<void> => {
    if (isReloading) return;
    isReloading = true;
    while (isRequested && reload !== undefined) {
      isRequested = false;
      await reload();
    }
    isReloading = false;
  };
  const request = (): void => {
    isRequested = true;
    void run();
  };
  const isTerminalClosed = watchTerminal();
  process.on("SIGHUP", () => {
    if (isTerminalClosed()) dieOfHangup();
    else request();
  });
  watchFile(file, { bigint: true, persistent: false, interval: LOOK_MS }, (now) => {
    clearTimeout(written);
    const seenMark = markOf(now);
    // Who asked by a signal meanwhile had it read already.
    const requestIfUnread = (): void => {
      if (seenMark !== readMark) request();
    };
    if (seenMark !== readMark) written = setTimeout(requestIfUnread, WRITE_MS).unref();
  });

  return {
    async reading(read) {
      readMark = await markOfFile(file);
      return read();
    },
    begin(job) {
      reload = job;
      void run();
    },
    end() {
      reload = undefined;
      clearTimeout(written);
      unwatchFile(file);
    },
  };
}

/** Ends the process as the signal would have. Nobody is there to tell anything, and to write to a closed terminal fails. */
function dieOfHangup(): void {
  process.removeAllListeners("SIGHUP");
  process.kill(process.pid, "SIGHUP");
}

/** What tells one state of a file from another, whether it was written to or replaced. */
const markOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(" ");

/** The mark of a file that is not there, as `watchFile` tells it. */
const ABSENT = "0 0 0 0 0";

async function markOfFile(file: string): Promise<string> {
  try {
    return markOf(await stat(file, { bigint: true }));
  } catch {
    return ABSENT; // Why it can't be seen is told by who reads it.
  }
}
