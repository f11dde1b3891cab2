import type { DescMessage, JsonValue, MessageShape } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { planOf } from "./compile-plan.ts";
import { decodeObject } from "./decode-object.ts";
import type { DecodeWalk } from "./decode-value.ts";
import { isObject } from "./is-object.ts";
import { pathOf, refuseType } from "./refuse.ts";

const UNKNOWN = "Unrecognized request argument supplied";

/** How JSON is decoded. */
export interface DecodeOptions {
  /** Path of the JSON as a whole, for errors and reports: "body", "chunks[3]"; unset: none. */
  readonly path?: string;
  /** What happens to a key that no message knows, and that none keeps in a catch-all field; unset: "report". */
  readonly unknownKeys?: "reject" | "report";
  /** Is told the path of each such key. */
  readonly onUnknownKey?: (path: string) => void;
  /**
   * Whether a word that stands for nothing here is refused; unset: "strict". "lenient" takes it for unset: an enum's word (in a list
   * or map, the element is left out), a discriminator (the object's keys are then unknown ones), and another word than a constant's.
   */
  readonly enums?: "strict" | "lenient";
}

/**
 * Makes a message of OpenAI's JSON, by its descriptor and the options of parley.options.v1. Only the shape is looked at: required
 * fields and bounds are protovalidate's. null is unset, but not in lists and maps; 0, false and "" are set.
 *
 * Throws a GatewayError with the JSON path as `param`: INVALID_VALUE for a value of the wrong type, MISSING_PARAMETER where a
 * discriminator promises what is not there, UNSUPPORTED_PARAMETER for a key that is rejected, INVALID_JSON for the key "__proto__".
 *
 * Structs in the message are parts of `json`, and not copies.
 */
export function decodeJson<Desc extends DescMessage>(
  desc: Desc,
  json: JsonValue,
  options: DecodeOptions = {},
): MessageShape<Desc> {
  const walk = createWalk(options);
  if (!isObject(json)) return refuseType(walk, "an object", json);
  return decodeObject(planOf(desc), json, walk) as MessageShape<Desc>;
}

function createWalk({ path = "", unknownKeys, onUnknownKey, enums }: DecodeOptions): DecodeWalk {
  const walk: DecodeWalk = {
    prefix: path,
    path: [],
    lenient: enums === "lenient",
    decodeObject,
    unknownKey: () => {
      const param = pathOf(walk);
      if (unknownKeys === "reject")
        throw new GatewayError(Reason.UNSUPPORTED_PARAMETER, `${UNKNOWN}: ${param}`, { param });
      onUnknownKey?.(param);
    },
  };
  return walk;
}
