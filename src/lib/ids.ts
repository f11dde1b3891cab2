import { randomFillSync } from "node:crypto";

const ALPHABET = Buffer.from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "latin1");
const POOL = Buffer.alloc(4096);
let used = POOL.length;

/** The next random byte; the system is asked for 4 KiB at once, because a call costs more than the bytes. */
function randomByte(): number {
  if (used === POOL.length) {
    randomFillSync(POOL);
    used = 0;
  }
  return POOL[used++] as number;
}

/** Random letters and digits, each of 62 equally likely (5.95 bits a character). */
export function randomText(length: number): string {
  const text = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; ) {
    // 248 is the largest multiple of 62 in a byte: what lies above would make some characters likelier.
    const byte = randomByte();
    if (byte < 248) text[at++] = ALPHABET[byte % 62] as number;
  }
  return text.toString("latin1");
}

/** A new id of a completion: "chatcmpl-" and 28 letters and digits. */
export const completionId = (): string => `chatcmpl-${randomText(28)}`;

/** A new id of a call: "req_" and 28 letters and digits. */
export const requestId = (): string => `req_${randomText(28)}`;

/** A new id in the log of requests: "log_" and 28 letters and digits. */
export const logId = (): string => `log_${randomText(28)}`;

/** A new id of a tool call: "call_" and 24 letters and digits. */
export const toolCallId = (): string => `call_${randomText(24)}`;

/** A new id of a run: "run_" and 28 letters and digits. */
export const runUid = (): string => `run_${randomText(28)}`;

/** Whether a text has the form of a run's id: what has not needn't be looked for. */
export const isRunUid = (text: string): boolean => /^run_[0-9A-Za-z]{28}$/.test(text);
