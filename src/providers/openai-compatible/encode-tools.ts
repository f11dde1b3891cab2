import { create } from "@bufbuild/protobuf";
import { AllowedTools_Mode, type Tool, ToolChoice_Mode, ToolChoiceSchema } from "../../gen/parley/chat/v1/tool_pb.ts";
import { droppedKeys, mapped } from "../adjustment.ts";
import { unsupported } from "../parameter-table.ts";
import { type Fitting, UNKNOWN_KEY } from "./fitting.ts";

/**
 * Makes tools, and the choice among them, fit for a server. Changes `fitting.params` in place. Throws UNSUPPORTED_PARAMETER for tools
 * that it does not know.
 */
export function encodeTools({ params, traits, adjustments }: Fitting): void {
  for (const [at, { kind, extra }] of params.tools.entries()) {
    if (kind.case === "custom" && !traits.customTools)
      throw unsupported(`tools[${at}].custom`, "only OpenAI has tools with free text as input");
    if (traits.genuine) adjustments.push(...droppedKeys(`tools[${at}]`, extra, UNKNOWN_KEY));
  }
  if (traits.genuine) params.tools = params.tools.map((tool) => ({ ...tool, extra: undefined }));
  const choice = params.toolChoice?.choice;
  if (choice?.case !== "allowedTools" || traits.customTools) return;
  const { mode, tools } = choice.value;
  const allowed = new Set(tools.map(({ kind }) => kind.value?.name));
  params.tools = params.tools.filter((tool) => allowed.has(nameOf(tool)));
  if (params.tools.length === 0) throw unsupported("tool_choice.allowed_tools", "none of the tools is allowed");
  const isRequired = mode === AllowedTools_Mode.REQUIRED;
  const value = isRequired ? ToolChoice_Mode.REQUIRED : ToolChoice_Mode.AUTO;
  params.toolChoice = create(ToolChoiceSchema, { choice: { case: "mode", value } });
  const why = "only OpenAI has a choice of allowed tools; the server gets no others";
  adjustments.push(mapped("tool_choice", why, "allowed_tools", isRequired ? "required" : "auto"));
}

const nameOf = ({ kind }: Tool): string | undefined => kind.value?.name;
