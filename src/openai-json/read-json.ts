import type { JsonValue } from "@bufbuild/protobuf";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { findSyntaxFault } from "./find-syntax-fault.ts";
import { MAX_EXACT, TOO_LONG_TO_KEEP } from "./lossless-json.ts";
import type { PathSegment } from "./path.ts";
import { type ScanFault, type Span, type SpanSearch, scanJson } from "./scan-json.ts";
import { keepSource } from "./source-text.ts";

/** Why a text cannot be taken. */
export interface JsonFault {
  readonly reason: Reason.INVALID_JSON | Reason.INVALID_VALUE;
  /** Of what is at fault; undefined where the text is no JSON. */
  readonly path: readonly PathSegment[] | undefined;
  /** What is wrong there: "is there twice"; without a path, what is wrong and where. Never has a piece of the text. */
  readonly problem: string;
}

/** What came of reading a text. */
export type ReadJson = { readonly value: JsonValue; readonly fault?: never } | { readonly fault: JsonFault };

/**
 * Reads JSON text strictly: see `parseJson`. `isWellFormed`: whether the text is known to have no halves of surrogate pairs; a text of
 * 20 MB takes 20 ms to look through. `exactKeys`: keys of values whose numbers must not become doubles; see `textOf` in source-text.ts.
 */
export function readJson(
  text: string,
  maxDepth: number,
  isWellFormed = text.isWellFormed(),
  exactKeys?: ReadonlySet<string>,
): ReadJson {
  const checked = checkJson(text, maxDepth, isWellFormed, exactKeys);
  return checked.fault === undefined ? readChecked(text, checked.spans) : checked;
}

/** What came of looking through a text: why it can't be taken, or what is to be kept of it. */
export type CheckedJson = { readonly spans: readonly Span[]; readonly fault?: never } | { readonly fault: JsonFault };

/** The first step of `readJson`. */
export function checkJson(
  text: string,
  maxDepth: number,
  isWellFormed: boolean,
  exactKeys: ReadonlySet<string> | undefined,
): CheckedJson {
  const search: SpanSearch | undefined = exactKeys === undefined ? undefined : { keys: exactKeys, found: [] };
  // Before parsing, because JSON.parse would build millions of levels.
  const scanned = scanJson(text, maxDepth, isWellFormed, search);
  if (scanned !== undefined) return { fault: describe(scanned.fault, scanned.path, maxDepth) };
  return { spans: search?.found ?? [] };
}

/** The second step of `readJson`. */
export function readChecked(text: string, spans: readonly Span[]): ReadJson {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    // The engine's message would quote the text.
    return { fault: { reason: Reason.INVALID_JSON, path: undefined, problem: locate(text) } };
  }
  let length = 0;
  for (const { path, start, end } of spans) {
    length += end - start;
    if (length > MAX_EXACT) return { fault: { reason: Reason.INVALID_VALUE, path, problem: TOO_LONG_TO_KEEP } };
    keepSource(value, path, text.slice(start, end));
  }
  return { value };
}

function describe(fault: ScanFault, path: readonly PathSegment[], maxDepth: number): JsonFault {
  switch (fault) {
    case "too_deep":
      return { reason: Reason.INVALID_JSON, path, problem: `is nested deeper than ${maxDepth} levels` };
    case "key_twice":
      return { reason: Reason.INVALID_JSON, path, problem: "is there twice" };
    case "proto_key":
      return { reason: Reason.INVALID_JSON, path, problem: "is a key that is not allowed" };
    case "number_too_large":
      return { reason: Reason.INVALID_VALUE, path, problem: `must be a number up to ${Number.MAX_VALUE}` };
    case "lone_surrogate":
      return { reason: Reason.INVALID_VALUE, path, problem: "must be Unicode text, and has half of a surrogate pair" };
  }
}

function locate(text: string): string {
  if (text.trim() === "") return "it is empty";
  const fault = findSyntaxFault(text);
  if (fault === undefined) return "it is not JSON";
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < fault.at; at = text.indexOf("\n", lineStart)) {
    line++;
    lineStart = at + 1;
  }
  return `${fault.problem} at line ${line}, column ${fault.at - lineStart + 1}`;
}
