import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** Where a value stands in JSON: keys and indices, from the outside in. */
export type JsonPath = readonly (string | number)[];

/**
 * The text of a JSON object that comes again and again, with other strings in some of its places, as the events of a stream do. One of those
 * strings is read off such a text several times as quickly as all of it is parsed.
 */
export class JsonTemplate {
  /** What stands before the first string, between them, and behind the last one; the quotes belong to it. */
  readonly #parts: readonly string[];
  /** Which of the strings is read. */
  readonly #place: number;

  private constructor(parts: readonly string[], place: number) {
    this.#parts = parts;
    this.#place = place;
  }

  /**
   * The template of a text and its JSON, in which the string at `path` is read, and those at `others`, where there are such, may be any. Undefined
   * where one of them has escapes, or where it can't be told by its text where it stands.
   */
  static of(text: string, json: JsonObject, path: JsonPath, others: readonly JsonPath[]): JsonTemplate | undefined {
    const found = [path, ...others].map((each) => ({ path: each, value: valueAt(json, each) }));
    const strings = found.filter((it): it is { path: JsonPath; value: string } => typeof it.value === "string");
    const places = strings.map((it) => ({ ...it, at: placeOf(it.value, text) })).sort((a, b) => a.at - b.at);
    const place = places.findIndex((it) => it.path === path);
    if (place < 0 || places.some(({ at }) => at < 0)) return undefined;
    const parts: string[] = [];
    let from = 0;
    for (const { value, at } of places) {
      parts.push(copyOf(text.slice(from, at)));
      from = at + value.length;
    }
    parts.push(copyOf(text.slice(from)));
    const probed = tryParse(parts.reduce((before, part, at) => before + PROBE + at + part));
    const isTrue = places.every((it, at) => valueAt(probed, it.path) === `${PROBE}${at + 1}`);
    return isTrue ? new JsonTemplate(parts, place) : undefined;
  }

  /** The string that is read, of a text that differs in nothing but the strings; undefined: it does, or one of them has escapes. */
  stringOf(text: string): string | undefined {
    const parts = this.#parts;
    const first = parts[0] as string;
    if (!text.startsWith(first)) return undefined;
    let found: string | undefined;
    let at = first.length;
    for (let next = 1; next < parts.length; next++) {
      const part = parts[next] as string;
      const end = endOfPlain(text, at);
      if (!text.startsWith(part, end)) return undefined;
      if (next === this.#place + 1) found = text.slice(at, end);
      at = end + part.length;
    }
    return at === text.length ? found : undefined;
  }
}

/**
 * What is put in the place of each string, with its number, to see whether it arrives: the same characters may stand there for something else,
 * such as a comma between two strings.
 */
const PROBE = "probe ";

function tryParse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where what a string says plainly ends: at its quote, at an escape, at what JSON does not allow in a string, or with the text. */
function endOfPlain(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < SPACE || code === QUOTE || code === BACKSLASH) return at;
  }
  return text.length;
}

/** Where the text of a string begins, behind its quote; -1: it has escapes, or stands in several places. */
function placeOf(value: string, text: string): number {
  const literal = `"${value}"`;
  const at = text.indexOf(literal);
  const isPlain = endOfPlain(value, 0) === value.length;
  return at < 0 || !isPlain || text.includes(literal, at + 1) ? -1 : at + 1;
}

/** A text by itself: a part of another one keeps all of that. */
const copyOf = (text: string): string => Buffer.from(text).toString();

function valueAt(json: JsonValue | undefined, path: JsonPath): JsonValue | undefined {
  let value = json;
  for (const step of path) value = (value as Readonly<Record<string | number, JsonValue>> | null | undefined)?.[step];
  return value;
}
