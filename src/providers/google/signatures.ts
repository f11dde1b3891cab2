/**
 * Signatures of thoughts. Gemini gives them with parts of an answer, and wants them back on the same parts. To clients they go in two
 * places, because some keep one and some the other: `tool_calls[].extra_content.google.thought_signature`, as Google's own
 * compatible endpoint has it, and an entry of `reasoning_details`, as OpenRouter has it.
 */
import type { JsonObject } from "@bufbuild/protobuf";
import { type ReasoningDetail, ReasoningDetail_Type } from "../../gen/parley/chat/v1/message_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";
import type { AssistantTurn, Call } from "../turns.ts";

/** `format` of entries with Gemini's signatures; those of other formats are never sent to it. */
const FORMAT = "google-gemini-v1";

/** What Google documents for calls whose signature is lost: the model takes them without. */
export const LOST_SIGNATURE = "skip_thought_signature_validator";

/** How LiteLLM hides a signature in the id of a call. */
const HIDDEN = /__thought__(.+)$/s;

/** The entry that carries a signature. `id`: of the call, or of the image; unset for the text's. */
export const signatureDetail = (data: string, id: string | undefined, index: number): ReasoningDetail => ({
  $typeName: "parley.chat.v1.ReasoningDetail",
  type: ReasoningDetail_Type.ENCRYPTED,
  data,
  format: FORMAT,
  ...(id === undefined ? {} : { id }),
  index,
});

/** The extra content of a call that carries a signature. */
export const signatureContent = (signature: string): JsonObject => ({ google: { thought_signature: signature } });

/** Id that the signature of the thoughts themselves goes by. */
export const THOUGHT_ID = "thought";

/** Id that an image's signature goes by. */
export const imageId = (index: number): string => `image_${index}`;

/** The signatures of a turn by the ids that they go by; by none, that of the text. Of several, the last counts. */
export type Signatures = ReadonlyMap<string | undefined, string>;

/** Reads the signatures of a turn off its reasoning details, once for all its parts. */
export function signaturesIn({ reasoningDetails }: AssistantTurn): Signatures {
  const signatures = new Map<string | undefined, string>();
  for (const { type, format, data, id } of reasoningDetails)
    if (type === ReasoningDetail_Type.ENCRYPTED && format === FORMAT && data) signatures.set(id || undefined, data);
  return signatures;
}

/** The signature of a call, from wherever the client kept it. */
export function signatureOfCall({ id, extraContent }: Call, signatures: Signatures): string | undefined {
  const google = extraContent?.["google"];
  const signature = isObject(google) ? google["thought_signature"] : undefined;
  if (typeof signature === "string" && signature !== "") return signature;
  return signatures.get(id) ?? HIDDEN.exec(id)?.[1];
}
