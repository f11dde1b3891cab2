import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import type { MediumRef } from "../provider.ts";
import type { Traits } from "./quirks.ts";

/** The images and videos that a request gives by address, for a server that fetches nothing itself. What it does not take is none. */
export function mediaToFetch({ messages }: ChatCompletionParams, traits: Traits): MediumRef[] {
  if (!traits.inlineMedia) return [];
  return messages.flatMap(({ content }, index) =>
    content.flatMap(({ kind }, at): MediumRef[] => {
      if (kind.case !== "imageUrl" && kind.case !== "videoUrl") return [];
      const isImage = kind.case === "imageUrl";
      if (isImage ? traits.images === false : !traits.videoInput) return [];
      const { url } = kind.value;
      const key = isImage ? "image_url" : "video_url";
      return /^https:/i.test(url) ? [{ url, path: `messages[${index}].content[${at}].${key}.url` }] : [];
    }),
  );
}
