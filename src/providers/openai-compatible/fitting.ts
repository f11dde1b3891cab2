import type { JsonValue } from "@bufbuild/protobuf";
import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import { dropped } from "../adjustment.ts";
import { isGiven, type ParameterName, unsupported, wireName } from "../parameter-table.ts";
import { PARAMETERS } from "./parameters.ts";
import type { Traits } from "./quirks.ts";

/** Parameters without which the answer would be another than was asked for: they are refused, and not left out. */
const ESSENTIAL: ReadonlySet<string> = new Set<ParameterName>([
  "n",
  "logprobs",
  "topLogprobs",
  "tools",
  "toolChoice",
  "functions",
  "functionCall",
  "responseFormat",
  "modalities",
  "audio",
  "webSearchOptions",
  "moderation",
]);

/** Parameters by their names in requests. */
const BY_WIRE_NAME = new Map((Object.keys(PARAMETERS) as ParameterName[]).map((name) => [wireName(name), name]));

/** Why OpenAI itself does not get a key that Parley does not know. */
export const UNKNOWN_KEY = "OpenAI refuses keys that it does not know";

/** Parameters while they are made fit; a copy of the request's. */
export interface Fitting {
  readonly params: ChatCompletionParams;
  readonly traits: Traits;
  readonly adjustments: Adjustment[];
}

/** Leaves a parameter out by its name in requests, which may be one that Parley does not know. */
export function leaveOutByName(fitting: Fitting, wire: string, why: string): void {
  const name = BY_WIRE_NAME.get(wire);
  if (name !== undefined) {
    leaveOut(fitting, [name], why);
    return;
  }
  const { params, adjustments } = fitting;
  if (params.extra === undefined || !Object.hasOwn(params.extra, wire)) return;
  const { [wire]: _value, ...rest } = params.extra;
  params.extra = rest;
  adjustments.push(dropped(wire, why));
}

/**
 * Leaves parameters out, and reports it. One that says only what is so anyway goes without a word. Throws UNSUPPORTED_PARAMETER for
 * one that is essential.
 */
export function leaveOut({ params, adjustments }: Fitting, names: readonly ParameterName[], why: string): void {
  for (const name of names) {
    if (params[name] === undefined) continue;
    if (isGiven(params, name)) {
      if (ESSENTIAL.has(name)) throw unsupported(wireName(name), why);
      adjustments.push(dropped(wireName(name), why, shown(params[name])));
    }
    Object.assign(params, { [name]: empty(params[name]) });
  }
}

/** What stands for "unset" in the place of a value. */
function empty(value: unknown): unknown {
  if (Array.isArray(value)) return [];
  if (typeof value === "object" && value !== null && !("$typeName" in value)) return {};
  return undefined;
}

/** The value for a report, where it is a number or a bool: no text that somebody wrote. */
const shown = (value: unknown): JsonValue | undefined =>
  typeof value === "number" || typeof value === "boolean" ? value : undefined;
