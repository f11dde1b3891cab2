import { GatewayError } from "../../errors/gateway-error.ts";
import { type File, type ImageUrl, ImageUrl_Detail } from "../../gen/parley/chat/v1/message_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import { dropped, droppedKeys, mapped } from "../adjustment.ts";
import { cleanBase64, type DataUrl, isDataUrl, parseDataUrl } from "../data-url.ts";
import { unsupported, unsupportedValue } from "../parameter-table.ts";
import { sniffMime } from "../sniff.ts";
import type { Part } from "../turns.ts";
import type { CacheMarks } from "./cache-marks.ts";
import { type ContentBlock, type DocumentBlock, IMAGE_TYPES, type ImageBlock, type TextBlock } from "./wire.ts";

/** What is noted while a request is made. */
export interface Notes {
  readonly adjustments: Adjustment[];
  readonly marks: CacheMarks;
  /** Features that the request needs, for `anthropic-beta`. */
  readonly beta: Set<string>;
}

/** Feature that a request needs which refers to uploaded files. */
const FILES_BETA = "files-api-2025-04-14";

/** Makes blocks of parts. Texts of white space alone, which Anthropic refuses, are left out. */
export function encodeParts(parts: readonly Part[], notes: Notes): ContentBlock[] {
  return parts.flatMap((part): ContentBlock[] => {
    const block = encodePart(part, notes);
    if (block === undefined) return [];
    notes.marks.add(part.part.promptCacheBreakpoint, part.path, block);
    return [block];
  });
}

/** Makes blocks of parts of which admission lets through none but texts. */
export const encodeTexts = (parts: readonly Part[], notes: Notes): TextBlock[] =>
  encodeParts(parts, notes).filter((block) => block.type === "text");

function encodePart({ path, part: { kind, extra } }: Part, { adjustments, beta }: Notes): ContentBlock | undefined {
  adjustments.push(...droppedKeys(path, extra, "Anthropic has no such key in content"));
  switch (kind.case) {
    case "text":
    case "refusal":
      if (kind.value.trim() !== "") return { type: "text", text: kind.value };
      adjustments.push(dropped(path, "Anthropic refuses texts of white space alone"));
      return undefined;
    case "imageUrl":
      return encodeImage(kind.value, `${path}.image_url`, adjustments);
    case "file":
      return encodeFile(kind.value, `${path}.file`, adjustments, beta);
    case "inputAudio":
      throw unsupported(`${path}.input_audio`, "Anthropic's models do not hear");
    case "videoUrl":
      throw unsupported(`${path}.video_url`, "Anthropic's models do not see videos");
    case undefined:
      return undefined;
    default:
      kind satisfies never;
      return undefined;
  }
}

function encodeImage({ url, detail }: ImageUrl, path: string, adjustments: Adjustment[]): ImageBlock {
  if (detail !== ImageUrl_Detail.UNSPECIFIED && detail !== ImageUrl_Detail.AUTO) {
    const word = ImageUrl_Detail[detail]?.toLowerCase() ?? "";
    adjustments.push(dropped(`${path}.detail`, "Anthropic's models look at all images alike", word));
  }
  if (!isDataUrl(url)) return { type: "image", source: { type: "url", url } };
  const parsed = parseDataUrl(url);
  if (parsed === undefined) throw undecodable(`${path}.url`, "is a data URL that cannot be decoded");
  return inlineImage(parsed.mimeType, parsed.data, `${path}.url`, adjustments);
}

/** Characters of base64 that a type is told by. */
const HEAD = 5_600;

/** What bytes are by themselves; undefined where they do not tell. */
const sniff = (data: string): string | undefined => sniffMime(Buffer.from(data.slice(0, HEAD), "base64"));

/** Anthropic refuses an image whose type is not what it is said to be, so what the bytes say counts. */
function inlineImage(declared: string, data: string, path: string, adjustments: Adjustment[]): ImageBlock {
  const said = declared === "image/jpg" ? "image/jpeg" : declared;
  const found = sniff(data) ?? said;
  const type = IMAGE_TYPES.find((known) => known === found);
  if (type === undefined)
    throw unsupportedValue(path, `Anthropic's models see ${IMAGE_TYPES.join(", ")} only`, "invalid_image_url");
  if (type !== said) adjustments.push(mapped(path, "its bytes are of another type than it says", declared, type));
  return { type: "image", source: { type: "base64", media_type: type, data } };
}

function encodeFile(
  { fileData, fileId, filename }: File,
  path: string,
  adjustments: Adjustment[],
  beta: Set<string>,
): DocumentBlock | ImageBlock {
  const title = filename ? { title: filename } : {};
  if (fileId !== undefined) {
    // Other vendors' ids begin otherwise ("file-…"), and are nothing to Anthropic.
    if (!/^file_\w+$/.test(fileId)) throw unsupported(`${path}.file_id`, "it is not the id of a file at Anthropic");
    beta.add(FILES_BETA);
    const source = { type: "file" as const, file_id: fileId };
    return /\.(?:jpe?g|png|gif|webp)$/i.test(filename ?? "")
      ? { type: "image", source }
      : { type: "document", source, ...title };
  }
  const text = fileData ?? "";
  if (/^https:/i.test(text)) return { type: "document", source: { type: "url", url: text }, ...title };
  const { mimeType, data } = isDataUrl(text) ? typedFile(parseDataUrl(text) ?? noFile(path)) : rawFile(text, path);
  if (mimeType.startsWith("image/")) return inlineImage(mimeType, data, `${path}.file_data`, adjustments);
  if (mimeType === "application/pdf")
    return { type: "document", source: { type: "base64", media_type: mimeType, data }, ...title };
  if (!mimeType.startsWith("text/") && mimeType !== "application/json")
    throw unsupportedValue(`${path}.file_data`, "Anthropic's models read PDF, plain text and images only");
  if (mimeType !== "text/plain")
    adjustments.push(mapped(`${path}.file_data`, "Anthropic reads texts as plain text", mimeType, "text/plain"));
  const plain = Buffer.from(data, "base64").toString("utf8");
  if (plain.trim() === "") throw undecodable(`${path}.file_data`, "has no text in it");
  return { type: "document", source: { type: "text", media_type: "text/plain", data: plain }, ...title };
}

const noFile = (path: string): never => {
  throw undecodable(`${path}.file_data`, "is a data URL that cannot be decoded");
};

/** A file of no type of its own is what its bytes are. */
const typedFile = ({ mimeType, data }: DataUrl): DataUrl =>
  mimeType === "application/octet-stream" ? { mimeType: sniff(data) ?? mimeType, data } : { mimeType, data };

/** Base64 without the form of a data URL, which is only taken for what its bytes tell: a PDF, or an image. */
function rawFile(text: string, path: string): DataUrl {
  const data = cleanBase64(text);
  const mimeType = data === undefined ? undefined : sniff(data);
  if (data === undefined || mimeType === undefined)
    throw undecodable(`${path}.file_data`, "must be a data URL, or a PDF or an image in base64");
  return { mimeType, data };
}

const undecodable = (path: string, what: string): GatewayError =>
  new GatewayError(Reason.INVALID_VALUE, `${path} ${what}`, {
    param: path,
    ...(path.endsWith("image_url.url") ? { code: "invalid_image_url" } : {}),
  });
