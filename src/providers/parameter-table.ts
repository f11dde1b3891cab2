import type { JsonValue } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import { ServiceTier } from "../gen/parley/chat/v1/completion_pb.ts";
import {
  type ChatCompletionParams,
  ChatCompletionParamsSchema,
  OutputModality,
  Verbosity,
} from "../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { enumWords } from "../openai-json/words.ts";
import { dropped } from "./adjustment.ts";

/** A parameter, by its property of ChatCompletionParams; what the gateway itself reads is none. */
export type ParameterName = Exclude<
  keyof ChatCompletionParams & string,
  "$typeName" | "$unknown" | "model" | "messages" | "stream" | "streamOptions" | "async" | "extra"
>;

/** What a provider does with a parameter. Of `when`: on which models or values it does something else, and what. */
export type Treatment =
  /** It is sent; `as`: under which name, where that is another. */
  | { readonly kind: "passed"; readonly as?: string; readonly when?: string }
  /** It is said in another way, by the encoder, which reports what changes its meaning. */
  | { readonly kind: "mapped"; readonly as: string; readonly when?: string }
  /** It is left out, and that is reported. */
  | { readonly kind: "dropped"; readonly why: string }
  /** A call with it is refused: without it, the answer would be another than was asked for. */
  | { readonly kind: "refused"; readonly why: string };

/** What a provider does with each parameter: the code goes by it, and docs/compatibility.md is made of it. */
export type ParameterTable = Readonly<Record<ParameterName, Treatment>>;

/** Values that say what is so anyway; with them, there is nothing to report or to refuse. */
const MEANS_NOTHING: { readonly [K in ParameterName]?: (value: NonNullable<ChatCompletionParams[K]>) => boolean } = {
  store: (value) => !value,
  n: (value) => value === 1,
  logprobs: (value) => !value,
  topLogprobs: (value) => value === 0,
  frequencyPenalty: (value) => value === 0,
  presencePenalty: (value) => value === 0,
  parallelToolCalls: (value) => value,
  serviceTier: (value) => value === ServiceTier.AUTO,
  verbosity: (value) => value === Verbosity.MEDIUM,
  modalities: (value) => !value.includes(OutputModality.AUDIO),
  responseFormat: ({ format }) => format.case === "text",
};

/** Name of a parameter in OpenAI's JSON, by its property. */
export const wireName = (name: ParameterName): string => WIRE_NAMES.get(name) as string;

const WIRE_NAMES = new Map(
  [...ChatCompletionParamsSchema.fields].map(({ localName, name }) => [localName as ParameterName, name]),
);

/** Whether a parameter is given and says something: it is no zero of an enum, no empty list or map, and no default. */
export function isGiven(params: ChatCompletionParams, name: ParameterName): boolean {
  const value: unknown = params[name];
  if (value === undefined || value === null) return false;
  if (typeof value === "object" && !("$typeName" in value) && Object.keys(value).length === 0) return false;
  if (typeof value === "number" && value === 0 && ENUMS.has(name)) return false;
  return (MEANS_NOTHING[name] as ((value: unknown) => boolean) | undefined)?.(value) !== true;
}

/** The words of each parameter that is an enum. */
const ENUMS = new Map(
  ChatCompletionParamsSchema.fields.flatMap((field) =>
    field.fieldKind === "enum" ? [[field.localName, enumWords(field.enum).wordOf] as const] : [],
  ),
);

/**
 * Refuses the parameters that a table refuses, and reports those that it drops. Throws UNSUPPORTED_PARAMETER. `provider`: who it is
 * that can't take them, in words: "Anthropic".
 */
export function applyTable(params: ChatCompletionParams, table: ParameterTable): Adjustment[] {
  const adjustments: Adjustment[] = [];
  for (const [name, treatment] of rowsWithoutPlace(table)) {
    if (!isGiven(params, name)) continue;
    if (treatment.kind === "refused") throw unsupported(wireName(name), treatment.why);
    adjustments.push(dropped(wireName(name), treatment.why, shownValue(name, params[name])));
  }
  return adjustments;
}

type RowWithoutPlace = readonly [ParameterName, Extract<Treatment, { kind: "dropped" | "refused" }>];

const rows = new WeakMap<ParameterTable, readonly RowWithoutPlace[]>();

/** The rows of parameters that are not sent; they are looked up once for each table. */
function rowsWithoutPlace(table: ParameterTable): readonly RowWithoutPlace[] {
  let found = rows.get(table);
  if (found === undefined) {
    found = (Object.entries(table) as [ParameterName, Treatment][]).flatMap(([name, treatment]) =>
      treatment.kind === "dropped" || treatment.kind === "refused" ? [[name, treatment] as const] : [],
    );
    rows.set(table, found);
  }
  return found;
}

/** The error for a parameter that can't be left out without changing what is asked for. `path`: its JSON path. */
export const unsupported = (path: string, why: string): GatewayError =>
  new GatewayError(Reason.UNSUPPORTED_PARAMETER, `${path}: ${why}`, { param: path });

/** The error for a value that can't be kept. `path`: the parameter's JSON path. */
export const unsupportedValue = (path: string, why: string, code?: string): GatewayError =>
  new GatewayError(Reason.UNSUPPORTED_VALUE, `${path}: ${why}`, { param: path, code });

/** The value for a report, where it is a number, a bool, or a word of the contract: no text that somebody wrote. */
function shownValue(name: ParameterName, value: unknown): JsonValue | undefined {
  if (typeof value === "number") return ENUMS.get(name)?.get(value) ?? value;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return typeof value === "boolean" ? value : undefined;
}
