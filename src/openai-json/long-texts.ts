import { randomUUID } from "node:crypto";
import type { JsonValue } from "@bufbuild/protobuf";
import { breathe } from "../lib/breathe.ts";
import { isBase64Text, LONG_TEXT } from "./base64-text.ts";
import { hasSource } from "./source-text.ts";

/** JSON whose long texts of base64 are cut out: it has a hole in the place of each. */
export interface CutJson {
  readonly rest: Uint8Array;
  /** In the order in which they stand. */
  readonly texts: readonly string[];
}

/** What stands in the place of a text, before its number. Nobody outside knows it. */
const HOLE = `${randomUUID()} `;

const QUOTE = 0x22;

/**
 * Cuts the long texts of base64 out of JSON, with a turn for others before each: JSON.parse goes through them letter by letter, which takes
 * several times as long, and in one turn. Undefined where there are none.
 */
export async function cutLongTexts(json: Uint8Array): Promise<CutJson | undefined> {
  const bytes = Buffer.from(json.buffer, json.byteOffset, json.length);
  const pieces: Uint8Array[] = [];
  const texts: string[] = [];
  let from = 0;
  for (const [start, end] of quotedLong(bytes)) {
    await breathe();
    const text = bytes.toString("latin1", start, end);
    await breathe();
    if (!isBase64Text(text)) continue;
    pieces.push(bytes.subarray(from, start), Buffer.from(HOLE + texts.length));
    texts.push(text);
    from = end;
  }
  return texts.length === 0 ? undefined : { rest: Buffer.concat([...pieces, bytes.subarray(from)]), texts };
}

/** Where long runs without quotes begin and end that have quotes around them: of what is base64, that is a string of JSON, or JSON it is not. */
function* quotedLong(bytes: Buffer): Generator<readonly [start: number, end: number]> {
  for (let probe = LONG_TEXT; probe < bytes.length; probe += LONG_TEXT) {
    const end = bytes.indexOf(QUOTE, probe);
    if (end < 0) return;
    const start = bytes.lastIndexOf(QUOTE, probe - 1) + 1;
    if (end - start >= LONG_TEXT && start > 0) yield [start, end];
    // A run that has been seen has no other one in it.
    probe = Math.max(probe, end);
  }
}

/**
 * Puts the texts back into the value of the rest. False: some of them are not values there, or the value has to keep what it was parsed from;
 * then the whole has to be read as it is.
 */
export function putBack(value: JsonValue, texts: readonly string[]): boolean {
  let count = 0;
  let isWhole = true;
  const fill = (inner: JsonValue): JsonValue => {
    if (typeof inner === "string") {
      if (!inner.startsWith(HOLE)) return inner;
      count += 1;
      return texts[Number(inner.slice(HOLE.length))] ?? inner;
    }
    if (inner !== null && typeof inner === "object" && hasSource(inner)) isWhole = false;
    if (Array.isArray(inner)) for (const [at, element] of inner.entries()) inner[at] = fill(element);
    else if (inner !== null && typeof inner === "object") {
      for (const key of Object.keys(inner)) inner[key] = fill(inner[key] as JsonValue);
    }
    return inner;
  };
  fill(value);
  return isWhole && count === texts.length;
}
