import type { JsonValue } from "@bufbuild/protobuf";
import { GatewayError } from "../../errors/gateway-error.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import { isDeeperThan } from "../../lib/json-depth.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { parseLossless } from "../../openai-json/lossless-json.ts";
import { mapped } from "../adjustment.ts";
import { COMMON_IDS, type IdForm, renderId } from "../tool-ids.ts";
import type { Call } from "../turns.ts";
import type { Notes } from "./encode-parts.ts";

/** Most levels of the arguments of a call. */
const MAX_DEPTH = 100;

/** Arguments as an object, which Anthropic wants; what is none is wrapped into one. */
export function encodeInput({ kind, input, path }: Call, { adjustments }: Notes): JsonValue {
  if (kind === "custom") return { input };
  if (input.trim() === "") return {};
  if (isDeeperThan(input, MAX_DEPTH))
    throw new GatewayError(Reason.INVALID_VALUE, `${path} is nested deeper than ${MAX_DEPTH} levels`, { param: path });
  let value: JsonValue;
  try {
    value = parseLossless(input);
  } catch {
    adjustments.push(mapped(path, "it is no JSON, and Anthropic wants an object", "text", "_raw"));
    return { _raw: input };
  }
  // A number that a double cannot hold is an object here, and none there.
  if (isObject(value) && input.trimStart().startsWith("{")) return value;
  adjustments.push(mapped(path, "it is no object, and Anthropic wants one", "value", "object"));
  return { value };
}

/** How Anthropic wants the names of tools. */
const NAMES: IdForm = { pattern: /^[A-Za-z0-9_-]{1,64}$/, strange: /[^A-Za-z0-9_-]+/g, head: 55, joint: "_" };

/** The name of a tool that was called before, as Anthropic takes it; other providers allow more ("server.tool"). */
export const encodeName = ({ name }: Pick<Call, "name">): string => renderId(name, NAMES);

/** Ids of calls as Anthropic takes them, each of which stands for one call. */
export class CallIds {
  readonly #ids = new Map<Call, string>();
  readonly #taken = new Set<string>();

  of(call: Call): string {
    const known = this.#ids.get(call);
    if (known !== undefined) return known;
    const id = renderId(call.id, COMMON_IDS);
    let unique = id;
    for (let count = 2; this.#taken.has(unique); count++) unique = `${id}_${count}`;
    this.#taken.add(unique);
    this.#ids.set(call, unique);
    return unique;
  }
}
