import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import { isDeeperThan } from "../../lib/json-depth.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { parseLossless } from "../../openai-json/lossless-json.ts";
import { mapped } from "../adjustment.ts";
import type { Call, Result } from "../turns.ts";

/** Most levels of arguments; a body has as many. */
const MAX_DEPTH = 64;

/**
 * The arguments of a call as an object, with all digits of their numbers. What is no JSON is `_raw`, and reported, since the model
 * gets to see something else than it said; what is no object is `value`.
 */
export function argsOf({ kind, input, path }: Call, adjustments: Adjustment[]): JsonObject {
  if (kind === "custom") return { input };
  if (input.trim() === "") return {};
  if (isDeeperThan(input, MAX_DEPTH))
    throw new GatewayError(Reason.INVALID_VALUE, `${path} is nested deeper than ${MAX_DEPTH} levels`, { param: path });
  const value = parse(input);
  if (value === undefined) {
    adjustments.push(mapped(path, "it is no JSON, and Gemini takes only objects", "text", "_raw"));
    return { _raw: input };
  }
  return isObject(value) && !isNumber(value) ? value : { value };
}

/** What a function answered: the object that it says, or else its text, as `error` where it failed. */
export function responseOf({ parts, isError }: Result): JsonObject {
  const text = parts.flatMap(({ part: { kind } }) => (kind.case === "text" ? [kind.value] : [])).join("\n");
  if (isError === true) return { error: text };
  if (!/^\s*\{/.test(text) || isDeeperThan(text, MAX_DEPTH)) return { output: text };
  const value = parse(text);
  return isObject(value) ? value : { output: text };
}

/** A number whose digits a double does not hold is an object that only JSON.stringify understands. */
const isNumber = (value: JsonObject): boolean => "rawJSON" in value && Object.getPrototypeOf(value) === null;

function parse(text: string): JsonValue | undefined {
  try {
    return parseLossless(text);
  } catch {
    return undefined; // Models make mistakes, and so do tools.
  }
}
