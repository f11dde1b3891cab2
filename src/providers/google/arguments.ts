import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import { isDeeperThan } from "../../lib/json-depth.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { parseLossless } from "../../openai-json/lossless-json.ts";
import { type ArgumentForm, argumentsOf } from "../call-arguments.ts";
import type { Call, Result } from "../turns.ts";

/** Most levels of arguments; a body has as many. */
const MAX_DEPTH = 64;

const ARGUMENTS: ArgumentForm = { family: "Gemini", maxDepth: MAX_DEPTH };

/** The arguments of a call as an object, which Gemini wants; what is none is wrapped into one. */
export const argsOf = (call: Call, adjustments: Adjustment[]): JsonObject => argumentsOf(call, ARGUMENTS, adjustments);

/** What a function answered: the object that it says, or else its text, as `error` where it failed. */
export function responseOf({ parts, isError }: Result): JsonObject {
  const text = parts.flatMap(({ part: { kind } }) => (kind.case === "text" ? [kind.value] : [])).join("\n");
  if (isError === true) return { error: text };
  if (!/^\s*\{/.test(text) || isDeeperThan(text, MAX_DEPTH)) return { output: text };
  const value = parse(text);
  return isObject(value) ? value : { output: text };
}

function parse(text: string): JsonValue | undefined {
  try {
    return parseLossless(text);
  } catch {
    return undefined; // Tools make mistakes.
  }
}
