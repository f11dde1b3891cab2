import { filetypeinfo } from "magic-bytes.js";

/** Bytes that signatures are looked for in; the library looks no further than 4 KiB. */
const HEAD = 4_200;

/** Types by the library's names of them. Those that it tells by one or two bytes, text among them, are not trusted. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ["png", "image/png"],
  ["jpg", "image/jpeg"],
  ["gif", "image/gif"],
  ["webp", "image/webp"],
  ["tif", "image/tiff"],
  ["tiff", "image/tiff"],
  ["SVG", "image/svg+xml"],
  ["pdf", "application/pdf"],
  ["wav", "audio/wav"],
  ["mp3", "audio/mpeg"],
  ["aac", "audio/aac"],
  ["flac", "audio/flac"],
  ["aiff", "audio/aiff"],
  ["avi", "video/x-msvideo"],
  ["mpg", "video/mpeg"],
  ["zip", "application/zip"],
  ["gz", "application/gzip"],
]);

/** Types by the major brand of an ISO base media file: four letters after "ftyp". Every other brand is a video. */
const BRANDS: ReadonlyMap<string, string> = new Map([
  ["heic", "image/heic"],
  ["heix", "image/heic"],
  ["heim", "image/heic"],
  ["heis", "image/heic"],
  ["hevc", "image/heic"],
  ["hevx", "image/heic"],
  ["mif1", "image/heif"],
  ["msf1", "image/heif"],
  ["avif", "image/avif"],
  ["avis", "image/avif"],
  ["M4A ", "audio/mp4"],
  ["M4B ", "audio/mp4"],
  ["qt  ", "video/quicktime"],
  ["3gp4", "video/3gpp"],
  ["3gp5", "video/3gpp"],
  ["3gp6", "video/3gpp"],
]);

/** What a medium is by its own first bytes: "image/png". Undefined where they do not tell. */
export function sniffMime(bytes: Uint8Array): string | undefined {
  const head = bytes.subarray(0, HEAD);
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 512)).toString("latin1");
  if (text.startsWith("ftyp", 4)) return BRANDS.get(text.slice(8, 12)) ?? "video/mp4";
  if (text.startsWith("\x1aE\xdf\xa3")) return text.includes("webm") ? "video/webm" : "video/x-matroska";
  if (text.startsWith("OggS")) return text.includes("\x80theora") ? "video/ogg" : "audio/ogg";
  // "BM" alone may also begin a text; the four bytes at 6 are zero in every bitmap.
  if (text.startsWith("BM") && text.startsWith("\0\0\0\0", 6)) return "image/bmp";
  if (/^(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|body|script)\b/i.test(text)) return "text/html";
  for (const { typename } of filetypeinfo(head)) {
    const type = TYPES.get(typename);
    if (type !== undefined) return type;
  }
  return undefined;
}
