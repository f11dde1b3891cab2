import { GatewayError } from "../../errors/gateway-error.ts";
import { type ContentPart, InputAudio_Format } from "../../gen/parley/chat/v1/message_pb.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import { cleanBase64, isDataUrl, parseDataUrl } from "../data-url.ts";
import { unsupportedValue } from "../parameter-table.ts";
import type { Capabilities } from "./capabilities.ts";

/** What a part is to the model; a file may be anything that Gemini reads. */
export type MediumKind = "image" | "audio" | "video" | "file";

/** Where the bytes of a part are. */
export type MediaSource =
  /** In the request, in base64, under a type that may be wrong. */
  | { readonly case: "bytes"; readonly mimeType: string; readonly data: string }
  /** Where Google can get them itself. */
  | { readonly case: "uri"; readonly uri: string }
  /** Where somebody has to fetch them. */
  | { readonly case: "fetch"; readonly url: string };

/** A medium of a request. `path`: JSON path of its address or bytes. */
export interface Medium {
  readonly kind: MediumKind;
  readonly path: string;
  readonly name: string | undefined;
  /** The address, or what stands for it. */
  readonly text: string;
}

/** The medium that a part is; undefined for text. */
export function mediumOf({ kind }: ContentPart, path: string): Medium | undefined {
  switch (kind.case) {
    case "imageUrl":
      return { kind: "image", path: `${path}.image_url.url`, name: undefined, text: kind.value.url };
    case "videoUrl":
      return { kind: "video", path: `${path}.video_url.url`, name: undefined, text: kind.value.url };
    case "inputAudio": {
      const { data, format } = kind.value;
      const type = format === InputAudio_Format.MP3 ? "audio/mp3" : "audio/wav";
      const text = isDataUrl(data) ? data : `data:${type};base64,${data}`;
      return { kind: "audio", path: `${path}.input_audio.data`, name: undefined, text };
    }
    case "file": {
      const { fileData, fileId, filename } = kind.value;
      return fileId === undefined
        ? { kind: "file", path: `${path}.file.file_data`, name: filename, text: fileData ?? "" }
        : { kind: "file", path: `${path}.file.file_id`, name: filename, text: fileId };
    }
    default:
      return undefined;
  }
}

const YOUTUBE = /^https:\/\/(?:(?:www|m)\.)?(?:youtube\.com\/(?:watch\?|shorts\/|live\/|embed\/)|youtu\.be\/)/i;

/**
 * Finds out where a medium's bytes are. `base`: address of the API, whose own files it can be told of. Throws INVALID_VALUE for an
 * address or bytes that can't be used, and UNSUPPORTED_VALUE for the id of a file that is somewhere else.
 */
export function sourceOf(medium: Medium, base: string, { mediaByUrl }: Capabilities): MediaSource {
  const { text, kind, path } = medium;
  if (isDataUrl(text)) {
    const parsed = parseDataUrl(text);
    if (parsed === undefined) throw invalidMedium(path, "must be a data URL with sound base64");
    return { case: "bytes", ...parsed };
  }
  if (/^files\/[\w-]+$/.test(text)) return { case: "uri", uri: `${base}/${text}` };
  if (/^https:\/\//i.test(text)) {
    const isTaken = isOwnFile(text, base) || mediaByUrl || (kind !== "image" && YOUTUBE.test(text));
    return isTaken ? { case: "uri", uri: text } : { case: "fetch", url: text };
  }
  if (path.endsWith(".file_id")) throw unsupportedValue(path, "Gemini knows no file of this id");
  const data = kind === "file" ? cleanBase64(text) : undefined;
  if (data === undefined) throw invalidMedium(path, "must be an https address or a data URL");
  return { case: "bytes", mimeType: "", data };
}

/** Whether an address is one of the files that were uploaded to the same API. */
function isOwnFile(address: string, base: string): boolean {
  if (!URL.canParse(address)) return false;
  const { host, pathname } = new URL(address);
  return host === new URL(base).host && /^\/v\w+\/files\/[\w-]+$/.test(pathname);
}

/** The error for a medium that can't be used. */
export const invalidMedium = (path: string, problem: string): GatewayError =>
  new GatewayError(Reason.INVALID_VALUE, `${path} ${problem}`, { param: path, code: "invalid_image_url" });
