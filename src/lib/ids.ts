import { randomBytes } from "node:crypto";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Bytes that the system is asked for at once: a call costs more than the bytes. A multiple of three needs no padding. */
const POOL_BYTES = 3072;
/** What base64 has besides letters and digits. Without these, each of the 62 others is as likely as before. */
const SIGNS = /[+/]/g;

let pool = "";
let used = 0;

/** Random letters and digits, each of 62 equally likely (5.95 bits a character). At most 1,000. */
export function randomText(length: number): string {
  if (pool.length - used < length) {
    pool = randomBytes(POOL_BYTES).toString("base64").replaceAll(SIGNS, "");
    used = 0;
  }
  used += length;
  return pool.slice(used - length, used);
}

/** Characters that tell the millisecond: enough for some thousand years. */
const TIME_LENGTH = 8;

let timeAt = Number.NaN;
let timeText = "";

/**
 * As random, but for its first eight characters: they are the time, so what is made later sorts after it. A database then writes it
 * where it wrote last, instead of anywhere: in a table of 200,000 requests, that is a quarter of the work.
 */
function timedText(length: number): string {
  const now = Date.now();
  if (now !== timeAt) {
    timeAt = now;
    timeText = "";
    for (let left = now; timeText.length < TIME_LENGTH; left = Math.floor(left / ALPHABET.length))
      timeText = `${ALPHABET[left % ALPHABET.length]}${timeText}`;
  }
  return timeText + randomText(length - TIME_LENGTH);
}

/** A new id of a completion: "chatcmpl-" and 28 letters and digits. */
export const completionId = (): string => `chatcmpl-${randomText(28)}`;

/** A new id of a call: "req_" and 28 letters and digits. A later one sorts after it. */
export const requestId = (): string => `req_${timedText(28)}`;

/** A new id in the log of requests: "log_" and 28 letters and digits. A later one sorts after it. */
export const logId = (): string => `log_${timedText(28)}`;

/** A new id of a tool call: "call_" and 24 letters and digits. */
export const toolCallId = (): string => `call_${randomText(24)}`;

/** A new id of a run: "run_" and 28 letters and digits. */
export const runUid = (): string => `run_${randomText(28)}`;

/** Whether a text has the form of a run's id: what has not needn't be looked for. */
export const isRunUid = (text: string): boolean => /^run_[0-9A-Za-z]{28}$/.test(text);
