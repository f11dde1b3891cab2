import type { ContentPart, File } from "../../gen/parley/chat/v1/message_pb.ts";
import { ImageUrl_Detail } from "../../gen/parley/chat/v1/message_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import { dropped, droppedKeys } from "../adjustment.ts";
import { parseDataUrl } from "../data-url.ts";
import { unsupported } from "../parameter-table.ts";
import type { ProviderCall } from "../provider.ts";
import { UNKNOWN_KEY } from "./fitting.ts";
import type { Traits } from "./quirks.ts";

/** What parts are encoded for. */
export interface PartContext {
  /** The server's name of the model. */
  readonly model: string;
  readonly traits: Traits;
  readonly media: ProviderCall["media"];
  readonly adjustments: Adjustment[];
}

/** A part as the server takes it; `path` is its place in the request. Throws UNSUPPORTED_PARAMETER for a kind that it does not take. */
export function encodePart(part: ContentPart, path: string, context: PartContext): ContentPart {
  return { ...withoutExtras(part, path, context), kind: encodeKind(part, path, context) };
}

function withoutExtras(part: ContentPart, path: string, { traits, adjustments }: PartContext): ContentPart {
  const { promptCacheBreakpoint: mark, extra, ...rest } = part;
  if (mark !== undefined && !traits.newestParts)
    adjustments.push(dropped(`${path}.prompt_cache_breakpoint`, "the server has no marks for its cache"));
  if (traits.genuine) adjustments.push(...droppedKeys(path, extra, UNKNOWN_KEY));
  return {
    ...rest,
    ...(mark !== undefined && traits.newestParts ? { promptCacheBreakpoint: mark } : {}),
    ...(extra !== undefined && !traits.genuine ? { extra } : {}),
  };
}

function encodeKind({ kind }: ContentPart, path: string, context: PartContext): ContentPart["kind"] {
  const { traits, media, adjustments } = context;
  switch (kind.case) {
    case "imageUrl": {
      if (traits.images === false) throw unsupported(path, "the model takes no images");
      const image = { ...kind.value, url: inline(kind.value.url, media) };
      if (image.detail === ImageUrl_Detail.ORIGINAL && !traits.newestParts) {
        adjustments.push(dropped(`${path}.image_url.detail`, 'only OpenAI has the detail "original"', "original"));
        image.detail = ImageUrl_Detail.UNSPECIFIED;
      }
      return { case: "imageUrl", value: image };
    }
    case "inputAudio":
      if (!(traits.audio ?? traits.audioInput)) throw unsupported(path, "the model takes no audio");
      return kind;
    case "videoUrl":
      if (!traits.videoInput) throw unsupported(path, "the server takes no video");
      return { case: "videoUrl", value: { ...kind.value, url: inline(kind.value.url, media) } };
    case "file":
      return traits.fileInput ? kind : { case: "text", value: textOf(kind.value, path) };
    case "refusal":
      return traits.genuine ? kind : { case: "text", value: kind.value };
    case "text":
    case undefined:
      return kind;
    default:
      return kind satisfies never;
  }
}

/** The medium as data, where it was fetched. */
function inline(url: string, media: ProviderCall["media"]): string {
  const medium = media.get(url);
  return medium === undefined ? url : `data:${medium.mimeType};base64,${medium.data}`;
}

/** A file of plain text as text; other files have no form here. */
function textOf({ fileData }: File, path: string): string {
  const data = fileData === undefined ? undefined : parseDataUrl(fileData);
  if (data?.mimeType !== "text/plain") throw unsupported(path, "the server takes no files, besides plain text as data");
  return Buffer.from(data.data, "base64").toString("utf8");
}
