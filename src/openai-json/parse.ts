/**
 * OpenAI's JSON ⇄ Protobuf messages: a codec that knows no message. What it knows is in descriptors and in the options of
 * parley.options.v1, compiled once per message.
 *
 * This file reads text; decode.ts makes messages of JSON, and encode.ts JSON of messages.
 */
import { isAscii } from "node:buffer";
import type { JsonValue } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { breathe } from "../lib/breathe.ts";
import { cutLongTexts, putBack } from "./long-texts.ts";
import { formatPath } from "./path.ts";
import { checkJson, type ReadJson, readChecked, readJson } from "./read-json.ts";

/** How text is parsed. */
export interface ParseOptions {
  /** Most levels of objects and arrays; unset: 64. */
  readonly maxDepth?: number;
  /**
   * Keys of objects and arrays that become text again when they are decoded: their numbers then have all their digits, though those of
   * the value are doubles. Unset: none. See `jsonTextKeys`.
   */
  readonly exactKeys?: ReadonlySet<string>;
}

const MAX_DEPTH = 64;
const NOT_PARSED = "We could not parse the JSON body of your request";

/**
 * Parses JSON text (RFC 8259), or its bytes in UTF-8, with or without a byte order mark. Stricter than JSON.parse: a GatewayError
 * INVALID_JSON refuses text that is no JSON (with line and column), nesting beyond the bound, a key that is there twice and the key
 * "__proto__" (with their paths); INVALID_VALUE refuses numbers that a double can't hold, and halves of surrogate pairs. No message
 * has a piece of the text.
 */
export function parseJson(text: string | Uint8Array, options: ParseOptions = {}): JsonValue {
  const { maxDepth = MAX_DEPTH, exactKeys } = options;
  const read =
    typeof text === "string"
      ? readJson(text.startsWith("\ufeff") ? text.slice(1) : text, maxDepth, undefined, exactKeys)
      : readJson(decodeUtf8(text), maxDepth, true, exactKeys);
  return valueOrThrow(read);
}

/** As `parseJson`, with a turn for others between the steps, for bytes that are many. */
export async function parseLargeJson(bytes: Uint8Array, options: ParseOptions = {}): Promise<JsonValue> {
  const cut = await cutLongTexts(bytes);
  if (cut !== undefined) {
    const read = await readInTurns(cut.rest, options);
    if (read.fault === undefined && putBack(read.value, cut.texts)) return read.value;
    // It is told of the whole what is wrong with it.
  }
  await breathe();
  return valueOrThrow(await readInTurns(bytes, options));
}

async function readInTurns(bytes: Uint8Array, { maxDepth = MAX_DEPTH, exactKeys }: ParseOptions): Promise<ReadJson> {
  const text = decodeUtf8(bytes);
  await breathe();
  const checked = checkJson(text, maxDepth, true, exactKeys);
  if (checked.fault !== undefined) return checked;
  await breathe();
  return readChecked(text, checked.spans);
}

function valueOrThrow(read: ReadJson): JsonValue {
  if (read.fault === undefined) return read.value;
  const { reason, path, problem } = read.fault;
  if (path === undefined) throw new GatewayError(reason, `${NOT_PARSED}: ${problem}`);
  const param = formatPath(path) || undefined;
  const what = `${param ?? "the body"} ${problem}`;
  throw new GatewayError(reason, reason === Reason.INVALID_JSON ? `${NOT_PARSED}: ${what}` : what, { param });
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function decodeUtf8(bytes: Uint8Array): string {
  if (isAscii(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new GatewayError(Reason.INVALID_JSON, `${NOT_PARSED}: it is not valid UTF-8`, { cause });
  }
}
