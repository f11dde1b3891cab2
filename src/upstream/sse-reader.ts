import { isUtf8 } from "node:buffer";
import { createParser } from "eventsource-parser";
import type { StreamEvent } from "../providers/provider.ts";
import { invalidResponse } from "../providers/upstream-error.ts";
import type { EventReader } from "./event-reader.ts";

/** Most bytes from one event to the next. */
const MAX_EVENT_BYTES = 32 * 1024 * 1024;

/** Bytes that are parsed at once, and so by how much the bound may be passed before that is seen. */
const SLICE = 64 * 1024;

/** Closes the line and the event that a body ended in the middle of. */
const LAST_LINE_ENDS = "\n\n";

const BYTE_ORDER_MARK = 0xfeff;

const NONE: readonly StreamEvent[] = [];

/**
 * Makes a reader of one event stream, by the WHATWG's rules (https://html.spec.whatwg.org/multipage/server-sent-events.html), with
 * three exceptions, each for the sake of servers that are: an event without a blank line behind it counts at the end of the body;
 * one whose data is blank never does; and ids and retry times mean nothing.
 *
 * Lines and events are bounded together, by the bytes that come without completing an event: that also holds for comments, and for
 * what is no event stream at all. `provider`: id of who sends it, for errors.
 */
export function createSseReader(provider: string, maxEventBytes = MAX_EVENT_BYTES): EventReader {
  /** Undefined: none. A list that has waited for events is old, and would keep them after they were read. */
  let events: StreamEvent[] | undefined;
  let sinceEvent = 0;
  const decode = createUtf8Decoder();
  let isStart = true;
  const parser = createParser({
    onEvent({ event, data }) {
      sinceEvent = 0;
      if (isBlank(data)) return;
      if (events === undefined) events = [{ event, data }];
      else events.push({ event, data });
    },
  });
  // Behind a line, the parser leaves byte order marks alone. It would also take letters off that look like one.
  parser.feed("\n");
  // Node's decoder takes a second one off, too, where a piece ends between the two.
  const withoutMark = (text: string): string => {
    if (text === "") return text;
    isStart = false;
    return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
  };
  const take = (): readonly StreamEvent[] => {
    const taken = events ?? NONE;
    events = undefined;
    return taken;
  };

  return {
    push(piece) {
      for (let start = 0; start < piece.length; start += SLICE) {
        const slice = piece.length <= SLICE ? piece : piece.subarray(start, start + SLICE);
        sinceEvent += slice.length;
        const text = decode(slice);
        parser.feed(isStart ? withoutMark(text) : text);
        if (sinceEvent > maxEventBytes) throw tooLarge(provider, maxEventBytes);
      }
      return take();
    },
    finish() {
      parser.feed(decode() + LAST_LINE_ENDS);
      return take();
    },
  };
}

/** Decodes pieces of whole characters, which leave nothing behind in it. */
const WHOLE = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Decodes UTF-8 that comes in pieces; without one, what is left of it. Whole characters, as nearly all pieces are, are read at once; a
 * decoder of streams costs several times as much.
 */
function createUtf8Decoder(): (piece?: Uint8Array) => string {
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  /** Whether the decoder may hold the beginning of a character. */
  let isCut = false;
  return (piece) => {
    if (piece === undefined) return decoder?.decode() ?? "";
    if (piece.length === 0) return "";
    if (!isCut && isUtf8(piece)) return WHOLE.decode(piece);
    decoder ??= new TextDecoder("utf-8", { ignoreBOM: true });
    // No character goes on behind a byte of ASCII.
    isCut = (piece.at(-1) ?? 0) >= 0x80;
    return decoder.decode(piece, { stream: true });
  };
}

/** Longer data is not looked at: it always has something in it that a decoder can refuse. */
const isBlank = (data: string): boolean => data.length < 64 && data.trim() === "";

const tooLarge = (provider: string, maxBytes: number) =>
  invalidResponse(provider, `an event stream in which no event came for more than ${maxBytes} bytes`);
