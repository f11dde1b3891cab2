import { unsupportedValue } from "../parameter-table.ts";
import { sniffMime } from "../sniff.ts";
import { invalidMedium, type MediumKind } from "./media-source.ts";

/** Types that Gemini takes, by what they are to it. */
const TAKEN: Readonly<Record<MediumKind, RegExp>> = {
  image: /^image\/(?:png|jpeg|webp|heic|heif)$/,
  audio: /^audio\/(?:wav|mp3|aiff|aac|ogg|flac)$/,
  video: /^video\/(?:mp4|mpeg|quicktime|x-msvideo|x-flv|webm|x-ms-wmv|3gpp)$/,
  file: /^(?:application\/pdf|text\/[\w.+-]+|image\/(?:png|jpeg|webp|heic|heif)|audio\/(?:wav|mp3|aiff|aac|ogg|flac)|video\/(?:mp4|mpeg|quicktime|x-msvideo|x-flv|webm|x-ms-wmv|3gpp))$/,
};

/** Other names of the same types. */
const SAME: ReadonlyMap<string, string> = new Map([
  ["image/jpg", "image/jpeg"],
  ["audio/mpeg", "audio/mp3"],
  ["audio/x-wav", "audio/wav"],
  ["audio/wave", "audio/wav"],
  ["audio/x-aiff", "audio/aiff"],
  ["video/mov", "video/quicktime"],
  ["video/avi", "video/x-msvideo"],
  ["video/mpg", "video/mpeg"],
  ["video/wmv", "video/x-ms-wmv"],
  ["application/json", "text/plain"],
]);

const BY_EXTENSION: ReadonlyMap<string, string> = new Map(
  Object.entries({
    png: "image/png",
    jpg: "image/jpeg",
    jpeg: "image/jpeg",
    webp: "image/webp",
    heic: "image/heic",
    heif: "image/heif",
    pdf: "application/pdf",
    txt: "text/plain",
    md: "text/markdown",
    csv: "text/csv",
    html: "text/html",
    json: "text/plain",
    wav: "audio/wav",
    mp3: "audio/mp3",
    flac: "audio/flac",
    ogg: "audio/ogg",
    mp4: "video/mp4",
    mov: "video/quicktime",
    webm: "video/webm",
    mpg: "video/mpeg",
  }),
);

/** Characters of base64 that hold the 4,200 bytes which signatures are looked for in. */
const HEAD = 5600;

/**
 * The type of bytes in base64: what they say themselves, else what was declared, else what the name of the file says. Throws for bytes
 * that are something else than `kind`, or of a type that Gemini does not take.
 */
export function typeOfBytes(data: string, declared: string, kind: MediumKind, path: string, name?: string): string {
  const sniffed = sniffMime(Buffer.from(data.slice(0, HEAD), "base64"));
  const said = declared === "" || declared === "application/octet-stream" ? typeByName(name) : declared;
  // Bytes of HTML and the like may well be the text that they are declared to be.
  const found = said?.startsWith("text/") && sniffed?.startsWith("text/") ? said : (sniffed ?? said);
  if (found === undefined) throw invalidMedium(path, "is of a type that is not known; a data URL says it");
  const type = SAME.get(found) ?? found;
  if (TAKEN[kind].test(type)) return type;
  throw unsupportedValue(path, `Gemini does not take ${type} here`);
}

/** The type by the ending of a name or an address; undefined where that is not known. */
export function typeByName(name: string | undefined): string | undefined {
  const ending = /\.([a-z0-9]+)(?:[?#].*)?$/i.exec(name ?? "");
  return BY_EXTENSION.get((ending?.[1] ?? "").toLowerCase());
}
