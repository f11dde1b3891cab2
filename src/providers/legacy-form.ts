/** What the families share of the form that tools had before they were called tools: `functions`, `function_call` and role `function`. */
import type { GatewayError } from "../errors/gateway-error.ts";
import type { ChatCompletionParams } from "../gen/parley/chat/v1/params_pb.ts";
import { invalidResponse } from "./upstream-error.ts";

/** Whether a request has its functions in the legacy form, so that calls are to be told in it. Where there are tools, they win. */
export const isLegacyForm = ({ tools, functions }: Pick<ChatCompletionParams, "tools" | "functions">): boolean =>
  functions.length > 0 && tools.length === 0;

/** Id of the call of a message in the legacy form, which has none. A message has one such call at most. */
export const legacyCallId = (index: number): string => `call_function_${index}`;

/**
 * The error for an answer with a second call, where the caller has the legacy form. That form has room for one, and each way to go on
 * without the others would be a lie: the caller would take the first call for all that the model asks for, and what the model goes on
 * from would not be what it said. Where a provider can be told to make one call only, it is.
 */
export const severalCalls = (provider: string): GatewayError =>
  invalidResponse(
    provider,
    "several calls, and `function_call` has room for one; ask with `tools` instead of `functions`",
  );
