import { breathe } from "./breathe.ts";

/** Characters that are encoded in one turn: about a millisecond. */
const PART = 1024 * 1024;

const utf8 = new TextEncoder();

/** The UTF-8 of a long text, with turns for others between its parts. */
export async function encodeInTurns(text: string): Promise<Uint8Array> {
  await breathe();
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  let written = 0;
  for (let at = 0; at < text.length; ) {
    await breathe();
    const end = endOfPart(text, at);
    written += utf8.encodeInto(text.slice(at, end), bytes.subarray(written)).written;
    at = end;
  }
  await breathe();
  return bytes;
}

/** A pair of surrogates is one character: they stay together. */
function endOfPart(text: string, from: number): number {
  const end = from + PART;
  const last = text.charCodeAt(end - 1);
  return last >= 0xd800 && last <= 0xdbff ? end + 1 : end;
}
