import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { isObject } from "../../openai-json/is-object.ts";
import { ANSWER_NOISE } from "./noise.ts";

/** What a message or a delta says, sorted. */
export interface Answer {
  /** "" where there is none. */
  readonly text: string;
  /** Whether there is text at all, and be it empty. */
  readonly hasText: boolean;
  readonly reasoning: string;
  readonly refusal: string;
  /** What should be pieces of tool calls; empty where there are none. */
  readonly calls: readonly JsonValue[];
  /** A call in the legacy form. */
  readonly functionCall: JsonObject | undefined;
  /** Keys with a meaning of their own, by which nothing has to be done. */
  readonly rest: JsonObject | undefined;
}

/** Sorts what a message or a delta says: under each of the names that servers use, and in texts or lists of parts. */
export function readAnswer(json: JsonObject): Answer {
  let text = "";
  let hasText = false;
  let thought = "";
  let reasoningContent = "";
  let reasoning = "";
  let refusal = "";
  let calls: readonly JsonValue[] = [];
  let functionCall: JsonObject | undefined;
  let rest: JsonObject | undefined;
  let pictures: readonly JsonObject[] = [];
  for (const key of Object.keys(json)) {
    const value = json[key] as JsonValue;
    if (value === null) continue;
    switch (key) {
      case "content":
        hasText = true;
        if (typeof value === "string") text = value;
        else if (Array.isArray(value)) ({ text, thought, pictures } = readParts(value));
        break;
      case "reasoning_content":
        if (typeof value === "string") reasoningContent = value;
        break;
      case "reasoning":
        if (typeof value === "string") reasoning = value;
        break;
      case "refusal":
        if (typeof value === "string") refusal = value;
        break;
      case "tool_calls":
        if (Array.isArray(value)) calls = value;
        break;
      case "function_call":
        if (isObject(value)) functionCall = value;
        break;
      default:
        if (ANSWER_NOISE.has(key) || key === "__proto__" || (Array.isArray(value) && value.length === 0)) continue;
        rest ??= {};
        rest[key] = value;
    }
  }
  if (pictures.length > 0) {
    const images = rest?.["images"];
    rest = { ...rest, images: [...(Array.isArray(images) ? images : []), ...pictures] };
  }
  // They are the same text under several names: the first that has any counts.
  const said = reasoningContent || reasoning || thought || readDetails(rest?.["reasoning_details"]);
  return { text, hasText, reasoning: said, refusal, calls, functionCall, rest };
}

/** What a list of parts says. */
interface Parts {
  readonly text: string;
  readonly thought: string;
  readonly pictures: readonly JsonObject[];
}

/** Mistral's lists: thoughts with parts of their own, and texts. Others have pictures in them. */
function readParts(parts: readonly JsonValue[]): Parts {
  let text = "";
  let thought = "";
  const pictures: JsonObject[] = [];
  for (const part of parts) {
    if (typeof part === "string") text += part;
    if (!isObject(part)) continue;
    const { type, thinking } = part;
    if (type === "thinking" || type === "reasoning") thought += textOf(thinking) + textOf(part["text"]);
    else if (type === "image_url") pictures.push(part);
    else text += textOf(part["text"]);
  }
  return { text, thought, pictures };
}

const textOf = (value: JsonValue | undefined): string => {
  if (typeof value === "string") return value;
  return Array.isArray(value) ? readParts(value).text : "";
};

/** The text of OpenRouter's details, for a server that has no other. */
function readDetails(details: JsonValue | undefined): string {
  if (!Array.isArray(details)) return "";
  return details
    .filter(isObject)
    .map(({ text, summary }) => (typeof text === "string" ? text : typeof summary === "string" ? summary : ""))
    .join("");
}
