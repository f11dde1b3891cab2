import type { DescMessage, JsonObject, Message, MessageShape } from "@bufbuild/protobuf";
import { planOf, planWithout } from "./compile-plan.ts";
import { toGatewayError } from "./encode-fault.ts";
import { encodeObject } from "./encode-object.ts";
import type { MessagePlan } from "./plan.ts";

/** How messages are encoded. */
export interface EncodeOptions {
  /** Whether a field whose contract says ABSENT_NULL is written as null when it is unset, as answers do; unset: true. */
  readonly nulls?: boolean;
  /** Property of the message, and of none within it, that is left out. */
  readonly without?: string;
}

/**
 * Makes OpenAI's JSON of a message, by its descriptor and the options of parley.options.v1. Keys of a catch-all field stand beside the
 * known ones, which win. Halves of surrogate pairs in strings become U+FFFD.
 *
 * Throws a GatewayError with the JSON path as `param`: INTERNAL for what JSON can't say (NaN, an infinity, an integer beyond 2^53-1, an
 * enum value without a word), INVALID_VALUE for a string that has to be JSON text and is not.
 *
 * Structs in the JSON are those of the message, and not copies.
 */
export function encodeJson<Desc extends DescMessage>(
  desc: Desc,
  message: MessageShape<Desc>,
  options: EncodeOptions = {},
): JsonObject {
  const { without } = options;
  return encodeByPlan(without === undefined ? planOf(desc) : planWithout(desc, without), message, options);
}

/** As `encodeJson`, by a plan that is at hand. */
export function encodeByPlan(plan: MessagePlan, message: Message, { nulls = true }: EncodeOptions): JsonObject {
  try {
    return encodeObject(plan, message, { nulls, encodeObject });
  } catch (error) {
    throw toGatewayError(error);
  }
}

/** The text of `encodeJson`, on one line. Writing it without the object was measured, and is no faster. */
export function stringifyJson<Desc extends DescMessage>(
  desc: Desc,
  message: MessageShape<Desc>,
  options?: EncodeOptions,
): string {
  return JSON.stringify(encodeJson(desc, message, options));
}
