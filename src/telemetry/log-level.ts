/** The levels of the log, from nothing to everything. */
export const LOG_LEVELS = ["silent", "error", "warn", "info", "debug"] as const;

/** One of the levels of the log. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Whether a text is the name of a level. */
export function isLogLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text);
}
