import { type DestinationStream, type Logger, destination as openDestination, pino } from "pino";
import { errorFields } from "./error-fields.ts";
import type { LogLevel } from "./log-level.ts";
import { redact } from "./redaction.ts";
import { createTimestamp } from "./timestamp.ts";

export type { Logger } from "pino";

/** What a logger is made of. */
export interface LoggerOptions {
  /** Lines below this level are not written. */
  readonly level: LogLevel;
  /** Where the lines go; unset: standard output, written in the background. */
  readonly destination?: DestinationStream | undefined;
  /** Number of the process, where several write one log: each line has it. */
  readonly worker?: number | undefined;
}

/** What may wait for a reader of standard output that has stalled, in bytes; lines above it are lost. */
const MAX_WAITING = 16 * 1024 * 1024;

/** Lines wait until there are so many bytes of them (pino's largest write is 16 KiB), or so many milliseconds have passed. */
const BATCH_BYTES = 15 * 1024;
const BATCH_MS = 100;

/** How long flushLogger waits for such a reader, in milliseconds. */
const FLUSH_TIMEOUT_MS = 1_000;

/**
 * Makes a logger that writes one JSON object a line: `level` as a word, `time` in ISO 8601, the fields, and `msg`. An `err` is
 * written with its stack and causes, and what stands under a key such as `authorization` or `api_key` is redacted. That does not
 * reach what a child logger carries.
 *
 * Lines for standard output are written in the background, so that a slow reader does not hold up calls: end with flushLogger.
 */
export function createLogger({ level, destination = openStandardOutput(), worker }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: worker === undefined ? null : { worker },
      timestamp: createTimestamp(Date.now),
      formatters: { level: (label) => ({ level: label }), log: redact },
      serializers: { err: errorFields },
    },
    destination,
  );
}

/**
 * Resolves when every line logged so far has been written, when it can't be written (there is nobody left to tell), or after a
 * second.
 */
export function flushLogger(logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, FLUSH_TIMEOUT_MS);
    // After the last write comes an fsync, which pipes and terminals refuse: an error here says nothing about the lines.
    logger.flush(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Opens standard output for lines that are written in the background. Each text that is given to it has to be whole lines. */
export function openStandardOutput(): DestinationStream {
  // One write for each line would cost more CPU than all the rest of its making. Any minLength above 0 also makes flush() wait for
  // the write under way.
  return openDestination({
    dest: 1,
    sync: false,
    minLength: BATCH_BYTES,
    periodicFlush: BATCH_MS,
    maxLength: MAX_WAITING,
  });
}
