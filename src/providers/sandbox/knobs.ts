import type { JsonValue } from "@bufbuild/protobuf";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";

/** What a call can ask of the sandbox in the extra parameter `sandbox`, besides what any model can be asked. */
export interface Knobs {
  /** Time between two tokens of a stream, in milliseconds: 0 to 60,000. A whole answer takes it only when the call names it. */
  readonly token_delay_ms?: number;
  /** Time before the first token, in milliseconds: 0 to 600,000. */
  readonly start_delay_ms?: number;
  /** Time that fault-429 tells its caller to wait, in milliseconds: 0 to 3,600,000. */
  readonly retry_after_ms?: number;
}

const BOUNDS: Readonly<Record<keyof Knobs, number>> = {
  token_delay_ms: 60_000,
  start_delay_ms: 600_000,
  retry_after_ms: 3_600_000,
};

const isKnob = (name: string): name is keyof Knobs => Object.hasOwn(BOUNDS, name);

/** Reads the extra parameter `sandbox`. Fails with INVALID_VALUE or UNSUPPORTED_PARAMETER, naming the key. */
export function readKnobs({ extra }: ChatCompletionParams): Knobs {
  const given = extra?.["sandbox"];
  if (given === undefined || given === null) return {};
  if (typeof given !== "object" || Array.isArray(given)) throw invalid("sandbox", "must be an object");
  const knobs: { -readonly [K in keyof Knobs]: number } = {};
  for (const [name, value] of Object.entries(given)) {
    const path = `sandbox.${name}`;
    if (!isKnob(name)) {
      const known = Object.keys(BOUNDS).join(", ");
      throw new GatewayError(Reason.UNSUPPORTED_PARAMETER, `${path} is not known; known are ${known}`, { param: path });
    }
    knobs[name] = readMilliseconds(path, value, BOUNDS[name]);
  }
  return knobs;
}

function readMilliseconds(path: string, value: JsonValue | undefined, most: number): number {
  if (typeof value !== "number" || !(value >= 0 && value <= most)) {
    throw invalid(path, `must be a number from 0 to ${most}`);
  }
  return value;
}

const invalid = (path: string, what: string): GatewayError =>
  new GatewayError(Reason.INVALID_VALUE, `${path} ${what}`, { param: path });
