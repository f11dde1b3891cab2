import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Duration, type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { formatDuration } from "./duration.ts";
import { EncodeFault } from "./encode-fault.ts";
import { mayLose, parseLossless } from "./lossless-json.ts";
import { readJson } from "./read-json.ts";
import type { EnumWords } from "./words.ts";

/** Most levels of JSON that a string holds. */
const MAX_DEPTH = 64;

/** A 64-bit integer as a number, without loss: up to 2^53-1. */
export function encodeLong(value: bigint | string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new EncodeFault(`is ${value}, and must be from -(2^53-1) to 2^53-1`);
  return number;
}

/** A finite number. */
export function encodeDouble(value: number): number {
  if (!Number.isFinite(value)) throw new EncodeFault(`is ${value}, which JSON can't say`);
  return value;
}

/** An enum's word. */
export function encodeWord({ wordOf }: EnumWords, value: number): string {
  const word = wordOf.get(value);
  if (word === undefined) throw new EncodeFault(`is ${value}, an enum value without a word`);
  return word;
}

/** A time: "2026-01-31T12:00:00Z". */
export function encodeTimestamp(value: Timestamp): string {
  try {
    return toJson(TimestampSchema, value);
  } catch {
    throw new EncodeFault("is no time: it is out of bounds");
  }
}

/** A duration: "1.5s". */
export function encodeDuration(value: Duration): string {
  const text = formatDuration(value);
  if (text === undefined) throw new EncodeFault("is no duration: it is out of bounds, or has two signs");
  return text;
}

/**
 * The JSON that a string holds, read as strictly as any; JSON.stringify writes its numbers with all their digits. Who wrote the string
 * has to mend it: INVALID_VALUE.
 */
export function encodeJsonText(text: string): JsonValue {
  const read = readJson(text, MAX_DEPTH);
  if (read.fault === undefined) return mayLose(text) ? parseLossless(text) : read.value;
  const { path, problem } = read.fault;
  if (path === undefined) throw new EncodeFault(`must be JSON text: ${problem}`, Reason.INVALID_VALUE);
  const fault = new EncodeFault(problem, Reason.INVALID_VALUE);
  fault.steps.push(...path.toReversed());
  throw fault;
}
