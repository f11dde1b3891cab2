/** The form that tools had before they were called tools, for servers that know tools only. Their answers: legacy-answer.ts. */
import { create } from "@bufbuild/protobuf";
import { type Message, Role } from "../../gen/parley/chat/v1/message_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import {
  type FunctionCallChoice,
  FunctionCallChoice_Mode,
  type ToolCall,
  ToolCallSchema,
  ToolChoice_Mode,
  ToolChoiceSchema,
  ToolSchema,
} from "../../gen/parley/chat/v1/tool_pb.ts";
import { dropped } from "../adjustment.ts";
import { isLegacyForm, legacyCallId } from "../legacy-form.ts";
import { doublyCalled } from "../turns.ts";
import { type Fitting, leaveOut } from "./fitting.ts";

/**
 * Says functions, and the choice among them, as tools, for a server that knows only these. Changes `fitting.params` in place. Throws
 * UNSUPPORTED_PARAMETER where the server takes no tools either.
 */
export function functionsAsTools(fitting: Fitting): void {
  const { params, traits, adjustments } = fitting;
  const { functions, functionCall } = params;
  if (functions.length === 0) return;
  if (isLegacyForm(params)) {
    const why = "the server does not take it";
    if (traits.unsupported.includes("tools")) leaveOut(fitting, ["functions"], why);
    if (traits.unsupported.includes("tool_choice")) leaveOut(fitting, ["functionCall"], why);
    params.tools = functions.map((value) => create(ToolSchema, { kind: { case: "function", value } }));
    if (functionCall !== undefined) params.toolChoice = create(ToolChoiceSchema, { choice: choiceOf(functionCall) });
    // The legacy form has room for one call.
    if (!traits.unsupported.includes("parallel_tool_calls")) params.parallelToolCalls = false;
  } else {
    const why = "tools are given, and they win";
    adjustments.push(dropped("functions", why));
    if (functionCall !== undefined) adjustments.push(dropped("function_call", why));
  }
  params.functions = [];
  params.functionCall = undefined;
}

function choiceOf({ choice }: FunctionCallChoice) {
  switch (choice.case) {
    case "name":
      return { case: "function" as const, value: { name: choice.value } };
    case "mode":
      return { case: "mode" as const, value: MODES[choice.value] };
    case undefined:
      return { case: undefined };
    default:
      return choice satisfies never;
  }
}

const MODES: Readonly<Record<FunctionCallChoice_Mode, ToolChoice_Mode>> = {
  [FunctionCallChoice_Mode.UNSPECIFIED]: ToolChoice_Mode.UNSPECIFIED,
  [FunctionCallChoice_Mode.NONE]: ToolChoice_Mode.NONE,
  [FunctionCallChoice_Mode.AUTO]: ToolChoice_Mode.AUTO,
};

/** Whether a message has the result of a call. `legacyFunctions`: whether the server tells results of functions from those of tools. */
export const isResult = ({ role }: Message, legacyFunctions: boolean): boolean =>
  role === Role.TOOL || (role === Role.FUNCTION && !legacyFunctions);

/** A message with its call in the form of tools. `index`: the message's, which pairs the call with its result. */
export function callAsTool(message: Message, index: number, adjustments: Adjustment[]): Message {
  const { functionCall, toolCalls } = message;
  if (functionCall === undefined) return message;
  if (toolCalls.length > 0) adjustments.push(doublyCalled(`messages[${index}]`));
  const { name, arguments: input } = functionCall;
  const call: ToolCall = create(ToolCallSchema, {
    id: legacyCallId(index),
    kind: { case: "function", value: { name, arguments: input } },
  });
  return { ...message, functionCall: undefined, toolCalls: toolCalls.length > 0 ? toolCalls : [call] };
}
