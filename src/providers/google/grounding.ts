import type { JsonObject } from "@bufbuild/protobuf";
import type { Annotation } from "../../gen/parley/chat/v1/message_pb.ts";
import { listIn, numberIn, objectIn, objectsIn, textIn } from "./json-fields.ts";

/**
 * The sources that a text cites, by `groundingMetadata`. `partStarts`: where in the text each part of the answer begins; its places
 * are bytes of UTF-8 within a part, and become characters (code points) of the whole text.
 */
export function annotationsOf(metadata: JsonObject, text: string, partStarts: readonly number[]): Annotation[] {
  const sources = listIn(metadata, "groundingChunks");
  const supports = objectsIn(metadata, "groundingSupports");
  if (sources.length === 0 || supports.length === 0) return [];
  const places = new Places(text);
  return supports.flatMap((support): Annotation[] => {
    const segment = objectIn(support, "segment") ?? {};
    const range = places.find(segment, partStarts[numberIn(segment, "partIndex") ?? 0] ?? 0);
    if (range === undefined) return [];
    return listIn(support, "groundingChunkIndices").flatMap((at) => {
      const source = sourceOf(sources[Number(at)]);
      return source === undefined ? [] : [citation(range, source)];
    });
  });
}

interface Range {
  readonly start: number;
  readonly end: number;
}

interface Source {
  readonly url: string;
  readonly title: string;
}

const citation = ({ start, end }: Range, { url, title }: Source): Annotation => ({
  $typeName: "parley.chat.v1.Annotation",
  kind: {
    case: "urlCitation",
    value: { $typeName: "parley.chat.v1.UrlCitation", startIndex: start, endIndex: end, title, url },
  },
});

/** A page, a document or a place of a map. */
function sourceOf(chunk: unknown): Source | undefined {
  if (typeof chunk !== "object" || chunk === null) return undefined;
  const object = chunk as JsonObject;
  const source = objectIn(object, "web") ?? objectIn(object, "retrievedContext") ?? objectIn(object, "maps");
  const url = source === undefined ? undefined : textIn(source, "uri");
  return url === undefined ? undefined : { url, title: (source && textIn(source, "title")) ?? "" };
}

/** Places in a text, by bytes and by characters. */
class Places {
  readonly #text: string;
  readonly #bytes: Buffer;
  /** How many characters begin before each byte. */
  readonly #characters: Uint32Array;

  constructor(text: string) {
    this.#text = text;
    this.#bytes = Buffer.from(text);
    this.#characters = new Uint32Array(this.#bytes.length + 1);
    let count = 0;
    for (const [at, byte] of this.#bytes.entries()) {
      this.#characters[at] = count;
      // The first byte of a character is not 10xxxxxx.
      if ((byte & 0xc0) !== 0x80) count++;
    }
    this.#characters[this.#bytes.length] = count;
  }

  /**
   * The range of a segment. Google is not always right about the part, so a segment that repeats its text is looked for: where it says,
   * from the text's beginning, and anywhere. One that is nowhere is taken to be where it says.
   */
  find(segment: JsonObject, partStart: number): Range | undefined {
    const start = numberIn(segment, "startIndex") ?? 0;
    const end = numberIn(segment, "endIndex") ?? start;
    const said = textIn(segment, "text");
    const offset = Buffer.byteLength(this.#text.slice(0, partStart));
    const found = [offset, 0].find((base) => said === undefined || this.#slice(base + start, base + end) === said);
    if (found !== undefined) return this.#range(found + start, found + end);
    const at = said === undefined || said === "" ? -1 : this.#bytes.indexOf(said);
    return at === -1
      ? this.#range(offset + start, offset + end)
      : this.#range(at, at + Buffer.byteLength(said as string));
  }

  #slice(start: number, end: number): string {
    return this.#bytes.toString("utf8", Math.max(0, start), Math.max(0, end));
  }

  #range(start: number, end: number): Range | undefined {
    const from = this.#characters[start];
    const to = this.#characters[Math.min(end, this.#bytes.length)];
    return from === undefined || to === undefined || to < from ? undefined : { start: from, end: to };
  }
}
