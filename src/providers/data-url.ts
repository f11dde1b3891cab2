/** A data URL (RFC 2397), taken apart. */
export interface DataUrl {
  /** Its type in lower case, without parameters: "image/png". */
  readonly mimeType: string;
  /** Its bytes, in base64 without white space, padded. */
  readonly data: string;
}

// No groups: on 20 MB, a repeated group runs out of the stack of regular expressions.
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const MIME_TYPE = /^[\w.+-]+\/[\w.+-]+$/;

/** Whether an address is a data URL. */
export const isDataUrl = (url: string): boolean => /^data:/i.test(url);

/**
 * Takes a data URL apart: with or without parameters, in base64 or percent-encoded. Undefined for what is none, has no sound
 * base64, or has no data.
 */
export function parseDataUrl(url: string): DataUrl | undefined {
  const comma = url.indexOf(",");
  if (!isDataUrl(url) || comma < 0) return undefined;
  const [type = "", ...parameters] = url.slice("data:".length, comma).split(";");
  const mimeType = type.trim().toLowerCase() || "text/plain";
  if (!MIME_TYPE.test(mimeType)) return undefined;
  const isBase64 = parameters.at(-1)?.trim().toLowerCase() === "base64";
  const data = isBase64 ? cleanBase64(url.slice(comma + 1)) : percentToBase64(url.slice(comma + 1));
  return data === undefined ? undefined : { mimeType, data };
}

/** Base64 as everybody takes it: without white space, in the plain alphabet, padded. Undefined for what is none, or empty. */
export function cleanBase64(text: string): string | undefined {
  let data = text.includes("%") ? decodePercent(text) : text;
  if (data === undefined) return undefined;
  data = data.replace(/\s+/g, "").replaceAll("-", "+").replaceAll("_", "/");
  if (!data.includes("=") && data.length % 4 !== 0) data += "=".repeat(4 - (data.length % 4));
  return data.length % 4 === 0 && BASE64.test(data) ? data : undefined;
}

function percentToBase64(text: string): string | undefined {
  if (text === "" || /%(?![0-9a-f]{2})/i.test(text)) return undefined;
  const bytes: Buffer[] = text
    .split(/((?:%[0-9a-f]{2})+)/i)
    .map((piece, index) => (index % 2 === 0 ? Buffer.from(piece) : Buffer.from(piece.replaceAll("%", ""), "hex")));
  return Buffer.concat(bytes).toString("base64");
}

function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // Not percent-encoded UTF-8, and so no base64 either.
  }
}
