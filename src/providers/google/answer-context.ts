import type { JsonValue } from "@bufbuild/protobuf";
import type { Chance } from "../provider.ts";
import { invalidResponse } from "../upstream-error.ts";
import { stringifyWellFormed } from "../well-formed-json.ts";
import type { ToolNames } from "./tool-names.ts";

/** What has to be known to read an answer. */
export interface AnswerContext {
  /** Id of the provider, for errors. */
  readonly provider: string;
  readonly names: ToolNames;
  /** Name of the function whose arguments are the answer. */
  readonly answerFunction: string | undefined;
  /** How many answers were asked for. */
  readonly choices: number;
  readonly chance: Chance;
}

/** Compact JSON of arguments. Throws UPSTREAM_INVALID_RESPONSE for what is nested beyond all reason. */
export function stringifyArgs(args: JsonValue, { provider }: AnswerContext): string {
  try {
    return stringifyWellFormed(args);
  } catch {
    throw invalidResponse(provider, "arguments that are nested too deeply");
  }
}
