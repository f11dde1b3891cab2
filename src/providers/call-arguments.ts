import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Adjustment } from "../gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { isDeeperThan } from "../lib/json-depth.ts";
import { isObject } from "../openai-json/is-object.ts";
import { parseLossless } from "../openai-json/lossless-json.ts";
import { mapped } from "./adjustment.ts";
import type { Call } from "./turns.ts";

/** Who gets arguments as objects. */
export interface ArgumentForm {
  /** The family's name in reports: "Gemini". */
  readonly family: string;
  /** Most levels that it takes. */
  readonly maxDepth: number;
}

/**
 * The arguments of a call as an object, with all digits of their numbers. What is no JSON becomes `_raw`, and what is no object
 * `value`; both are reported, since the model gets to see something else than it said. Throws INVALID_VALUE for too many levels.
 */
export function argumentsOf(
  { kind, input, path }: Call,
  { family, maxDepth }: ArgumentForm,
  adjustments: Adjustment[],
): JsonObject {
  if (kind === "custom") return { input };
  if (input.trim() === "") return {};
  if (isDeeperThan(input, maxDepth))
    throw new GatewayError(Reason.INVALID_VALUE, `${path} is nested deeper than ${maxDepth} levels`, { param: path });
  let value: JsonValue;
  try {
    value = parseLossless(input);
  } catch {
    // Models make mistakes.
    adjustments.push(mapped(path, `it is no JSON, and ${family} wants an object`, "text", "_raw"));
    return { _raw: input };
  }
  // A number that a double cannot hold is an object here, and none there.
  if (isObject(value) && input.trimStart().startsWith("{")) return value;
  adjustments.push(mapped(path, `it is no object, and ${family} wants one`, "value", "object"));
  return { value };
}
