import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { isObject } from "../../openai-json/is-object.ts";
import { restOf } from "./decode-rest.ts";

/** A tool call, or a piece of one, as far as it says anything. */
export interface CallPiece {
  readonly index: number | undefined;
  /** "" where there is none. */
  readonly id: string;
  readonly kind: "function" | "custom";
  readonly name: string;
  /** Arguments as JSON text, or the input of a custom tool. */
  readonly input: string;
  /** What has to go back with the call. */
  readonly extraContent: JsonObject | undefined;
  /** Keys that Parley does not know. */
  readonly extra: JsonObject | undefined;
}

const KNOWN: ReadonlySet<string> = new Set(["index", "id", "type", "function", "custom", "extra_content"]);

/** Reads an element of `tool_calls`. */
export function readCall(json: JsonObject): CallPiece {
  const { index, id, type, function: fn, custom, extra_content: extraContent } = json;
  const isCustom = type === "custom" || (isObject(custom) && !isObject(fn));
  const call = isCustom ? custom : fn;
  const { name, arguments: args, input } = isObject(call) ? call : ({} as JsonObject);
  return {
    index: Number.isInteger(index) ? (index as number) : undefined,
    id: typeof id === "string" ? id : "",
    kind: isCustom ? "custom" : "function",
    name: textOf(name),
    input: inputOf(isCustom ? input : args),
    extraContent: isObject(extraContent) ? extraContent : undefined,
    extra: restOf(json, KNOWN),
  };
}

/** Reads a call of a function: its name and arguments, "" where there are none. */
export const readFunction = ({ name, arguments: args }: JsonObject): Pick<CallPiece, "name" | "input"> => ({
  name: textOf(name),
  input: inputOf(args),
});

const textOf = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");

/** Arguments are text; some servers send the object itself. */
function inputOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
