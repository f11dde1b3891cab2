import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { type ContentPart, ImageUrl_Detail } from "../../gen/parley/chat/v1/message_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { dropped, droppedKeys, mapped } from "../adjustment.ts";
import type { Medium as FetchedMedium } from "../provider.ts";
import type { Part as SourcePart } from "../turns.ts";
import type { Capabilities } from "./capabilities.ts";
import { type Medium, mediumOf, sourceOf } from "./media-source.ts";
import { typeByName, typeOfBytes } from "./media-type.ts";
import type { MediaResolution, Part, VideoMetadata } from "./wire.ts";

/** How closely an image is to be looked at. */
interface AskedDetail {
  readonly path: string;
  readonly detail: ImageUrl_Detail;
}

/** Says content parts in Gemini's terms, and remembers what only the request as a whole can say. */
export class PartEncoder {
  readonly #base: string;
  readonly #capabilities: Capabilities;
  readonly #media: ReadonlyMap<string, FetchedMedium>;
  readonly #adjustments: Adjustment[];
  readonly #details: AskedDetail[] = [];

  /** `base`: address of the API with its version. */
  constructor(
    base: string,
    capabilities: Capabilities,
    media: ReadonlyMap<string, FetchedMedium>,
    adjustments: Adjustment[],
  ) {
    this.#base = base;
    this.#capabilities = capabilities;
    this.#media = media;
    this.#adjustments = adjustments;
  }

  /** A part, whatever it is. */
  encode({ part, path }: SourcePart): Part {
    this.#reportExtras(part, path);
    const { kind } = part;
    if (kind.case === "imageUrl") this.#details.push({ path: `${path}.image_url.detail`, detail: kind.value.detail });
    const medium = mediumOf(part, path);
    if (medium === undefined) return { text: kind.case === "text" ? kind.value : "" };
    const encoded = this.medium(medium);
    const clip = kind.case === "videoUrl" ? videoMetadata(part.extra) : undefined;
    return clip === undefined ? encoded : { ...encoded, videoMetadata: clip };
  }

  /** A medium; bytes that were not fetched are a mark with their address. */
  medium(medium: Medium): Part {
    const { kind, path, name } = medium;
    const source = sourceOf(medium, this.#base, this.#capabilities);
    switch (source.case) {
      case "bytes": {
        const { mimeType, data } = source;
        return { inlineData: { mimeType: typeOfBytes(data, mimeType, kind, path, name), data } };
      }
      case "uri": {
        const type = typeByName(name) ?? typeByName(source.uri);
        return { fileData: { fileUri: source.uri, ...(type === undefined ? {} : { mimeType: type }) } };
      }
      case "fetch": {
        const fetched = this.#media.get(source.url);
        if (fetched === undefined) {
          const mimeType = typeByName(name) ?? typeByName(source.url) ?? "application/octet-stream";
          return { inlineData: { mimeType, data: `[fetched from ${source.url}]` } };
        }
        const { mimeType, data } = fetched;
        return { inlineData: { mimeType: typeOfBytes(data, mimeType, kind, path, name ?? source.url), data } };
      }
    }
    return source satisfies never;
  }

  /**
   * How closely all images together are looked at, since Gemini is told so once: the closest that any asks for, and coarsely only
   * where all do. Reports the images that get something else than they ask for.
   */
  resolution(): MediaResolution | undefined {
    const { HIGH, ORIGINAL, LOW } = ImageUrl_Detail;
    const isFine = ({ detail }: AskedDetail): boolean => detail === HIGH || detail === ORIGINAL;
    const taken = this.#details.some(isFine)
      ? HIGH
      : this.#details.length > 0 && this.#details.every(({ detail }) => detail === LOW)
        ? LOW
        : undefined;
    for (const { path, detail } of this.#details) {
      if (detail === ORIGINAL || (detail === LOW && taken === HIGH))
        this.#adjustments.push(
          mapped(path, "Gemini looks at all media of a call alike", detail === LOW ? "low" : "original", "high"),
        );
      if (detail === LOW && taken === undefined)
        this.#adjustments.push(dropped(path, "Gemini looks at all media of a call alike", "low"));
    }
    if (taken === undefined) return undefined;
    return taken === HIGH ? "MEDIA_RESOLUTION_HIGH" : "MEDIA_RESOLUTION_LOW";
  }

  #reportExtras({ promptCacheBreakpoint, extra, kind }: ContentPart, path: string): void {
    if (promptCacheBreakpoint !== undefined)
      this.#adjustments.push(dropped(`${path}.prompt_cache_breakpoint`, "Gemini finds repeated prefixes itself"));
    const known = kind.case === "videoUrl" ? ["video_metadata"] : [];
    this.#adjustments.push(...droppedKeys(path, extra, "Gemini's content has nothing like it", known));
  }
}

/** `video_metadata: {start_offset, end_offset, fps}` beside a video: which piece of it is looked at, and how closely. */
function videoMetadata(extra: JsonObject | undefined): VideoMetadata | undefined {
  const given = extra?.["video_metadata"];
  if (!isObject(given)) return undefined;
  const pick = (...keys: string[]): JsonValue | undefined =>
    keys.map((key) => given[key]).find((it) => it !== undefined);
  const startOffset = pick("start_offset", "startOffset");
  const endOffset = pick("end_offset", "endOffset");
  const { fps } = given;
  return {
    ...(typeof startOffset === "string" ? { startOffset } : {}),
    ...(typeof endOffset === "string" ? { endOffset } : {}),
    ...(typeof fps === "number" ? { fps } : {}),
  };
}
