import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
import { standardOutput } from "./batched-output.ts";
import { errorFields } from "./error-fields.ts";
import type { LogLevel } from "./log-level.ts";
import { redact } from "./redaction.ts";
import { createTimestamp } from "./timestamp.ts";

/** The levels that lines have. */
export type LineLevel = Exclude<LogLevel, "silent">;

/** What writes the log. */
export interface Logger extends PinoLogger {
  /**
   * Writes a line of fields that are JSON as they are: nothing of them is redacted, and an error in them has to be written out. Undefined
   * ones are left out. It is for the line of each call, of which all that pino does for other lines is two thirds.
   */
  plain(level: LineLevel, fields: { readonly msg: string }): void;
}

/** What a logger is made of. */
export interface LoggerOptions {
  /** Lines below this level are not written. */
  readonly level: LogLevel;
  /** Where the lines go; unset: standard output, written in the background. */
  readonly destination?: DestinationStream | undefined;
  /** Number of the process, where several write one log: each line has it. */
  readonly worker?: number | undefined;
}

/** How long flushLogger waits for such a reader, in milliseconds. */
const FLUSH_TIMEOUT_MS = 1_000;

/**
 * Makes a logger that writes one JSON object a line: `level` as a word, `time` in ISO 8601, the fields, and `msg`. An `err` is
 * written with its stack and causes, and what stands under a key such as `authorization` or `api_key` is redacted. That does not
 * reach what a child logger carries.
 *
 * Lines for standard output are written in the background, so that a slow reader does not hold up calls: end with flushLogger.
 */
export function createLogger({ level, destination = standardOutput(), worker }: LoggerOptions): Logger {
  const timestamp = createTimestamp(Date.now);
  const writer = worker === undefined ? "" : `,"worker":${worker}`;
  const logger = pino(
    {
      level,
      base: worker === undefined ? null : { worker },
      timestamp,
      formatters: { level: (label) => ({ level: label }), log: redact },
      serializers: { err: errorFields },
    },
    destination,
  );
  return Object.assign(logger, {
    plain(lineLevel: LineLevel, fields: { readonly msg: string }) {
      if (!logger.isLevelEnabled(lineLevel)) return;
      destination.write(`{"level":"${lineLevel}"${timestamp()}${writer},${JSON.stringify(fields).slice(1)}\n`);
    },
  });
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
