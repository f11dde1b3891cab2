import type { JsonObject } from "@bufbuild/protobuf";
import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import {
  AllowedTools_Mode,
  type CustomTool,
  FunctionCallChoice_Mode,
  type FunctionDefinition,
  Grammar_Syntax,
  ToolChoice_Mode,
} from "../../gen/parley/chat/v1/tool_pb.ts";
import { parseLossless } from "../../openai-json/lossless-json.ts";
import { dropped, mapped } from "../adjustment.ts";
import { unsupported } from "../parameter-table.ts";
import type { Capabilities } from "./capabilities.ts";
import { asObjectSchema, cleanSchema } from "./clean-schema.ts";
import { ToolNames } from "./tool-names.ts";
import type { FunctionCallingConfig, FunctionDeclaration, Tool, ToolConfig } from "./wire.ts";

/** The tools of a request, as Gemini has them. */
export interface EncodedTools {
  readonly declarations: FunctionDeclaration[];
  readonly calling: FunctionCallingConfig | undefined;
  readonly names: ToolNames;
  readonly adjustments: readonly Adjustment[];
}

/** Reads tools, or functions of the legacy form, and which of them may or must be called. */
export function encodeTools(params: ChatCompletionParams): EncodedTools {
  const adjustments: Adjustment[] = [];
  const names = new ToolNames(params);
  const declarations: FunctionDeclaration[] = [];
  let isStrict = false;
  for (const [index, { kind }] of params.tools.entries()) {
    const path = `tools[${index}]`;
    if (kind.case === "function") {
      isStrict ||= kind.value.strict === true;
      declarations.push(declareFunction(kind.value, `${path}.function`, names, adjustments));
    } else if (kind.case === "custom")
      declarations.push(declareCustom(kind.value, `${path}.custom`, names, adjustments));
  }
  for (const [index, definition] of params.functions.entries()) {
    if (params.tools.length > 0) adjustments.push(dropped(`functions[${index}]`, "tools are given, and they win"));
    else declarations.push(declareFunction(definition, `functions[${index}]`, names, adjustments));
  }
  const choice = callingConfig(params, names);
  const calling =
    isStrict && declarations.length > 0 && (choice === undefined || choice.mode === "AUTO")
      ? { ...choice, mode: "VALIDATED" as const }
      : choice;
  return narrow({ declarations, calling, names, adjustments }, params);
}

/** Of allowed tools that need not be called, the others are not declared; Gemini names allowed functions for forced calls only. */
function narrow(tools: EncodedTools, { toolChoice }: ChatCompletionParams): EncodedTools {
  const allowed = toolChoice?.choice.case === "allowedTools" ? tools.calling?.allowedFunctionNames : undefined;
  if (tools.calling === undefined || allowed === undefined || tools.calling.mode !== "AUTO") return tools;
  const { allowedFunctionNames: _names, ...calling } = tools.calling;
  const names = new Set(allowed);
  return { ...tools, calling, declarations: tools.declarations.filter(({ name }) => names.has(name)) };
}

function declareFunction(
  { name, description, schema }: FunctionDefinition,
  path: string,
  names: ToolNames,
  adjustments: Adjustment[],
): FunctionDeclaration {
  const declaration: FunctionDeclaration = { name: names.toWire(name) };
  if (description !== undefined) declaration.description = description;
  if (schema.case === undefined) return declaration;
  const given = schema.case === "parameters" ? schema.value : (parseLossless(schema.value) as JsonObject);
  const cleaned = cleanSchema(asObjectSchema(given), `${path}.parameters`);
  declaration.parametersJsonSchema = cleaned.schema;
  adjustments.push(...reportLost(`${path}.parameters`, cleaned.lost));
  return declaration;
}

/** Reports what of a schema can't be said. */
export const reportLost = (path: string, lost: readonly string[]): Adjustment[] =>
  lost.length === 0 ? [] : [dropped(path, `Gemini does not hold values to ${lost.join(", ")}`)];

/** A custom tool is a function whose only argument is its input. */
function declareCustom(
  { name, description, format }: CustomTool,
  path: string,
  names: ToolNames,
  adjustments: Adjustment[],
): FunctionDeclaration {
  const texts = description === undefined ? [] : [description];
  if (format?.kind.case === "grammar") {
    const { syntax, definition } = format.kind.value;
    const form = syntax === Grammar_Syntax.LARK ? "Lark grammar" : "regular expression";
    texts.push(`The input must match this ${form}:\n${definition}`);
    adjustments.push(
      mapped(`${path}.format`, "Gemini holds no input to a grammar; it is told of it", "grammar", "description"),
    );
  }
  return {
    name: names.toWire(name),
    ...(texts.length === 0 ? {} : { description: texts.join("\n\n") }),
    parametersJsonSchema: { type: "object", properties: { input: { type: "string" } }, required: ["input"] },
  };
}

function callingConfig(params: ChatCompletionParams, names: ToolNames): FunctionCallingConfig | undefined {
  const choice = params.toolChoice?.choice;
  switch (choice?.case) {
    case "mode":
      return { mode: MODE[choice.value] };
    case "function":
    case "custom":
      return { mode: "ANY", allowedFunctionNames: [names.toWire(choice.value.name)] };
    case "allowedTools": {
      const allowed = choice.value.tools.flatMap(({ kind }) => (kind.case === undefined ? [] : [kind.value.name]));
      const mode = choice.value.mode === AllowedTools_Mode.REQUIRED ? "ANY" : "AUTO";
      return { mode, allowedFunctionNames: allowed.map((name) => names.toWire(name)) };
    }
    default:
      return legacyCalling(params, names);
  }
}

const MODE: Readonly<Record<ToolChoice_Mode, FunctionCallingConfig["mode"]>> = {
  [ToolChoice_Mode.UNSPECIFIED]: "AUTO",
  [ToolChoice_Mode.NONE]: "NONE",
  [ToolChoice_Mode.AUTO]: "AUTO",
  [ToolChoice_Mode.REQUIRED]: "ANY",
};

function legacyCalling({ functionCall, tools }: ChatCompletionParams, names: ToolNames) {
  const choice = functionCall?.choice;
  if (choice?.case === undefined || tools.length > 0) return undefined;
  if (choice.case === "name") return { mode: "ANY" as const, allowedFunctionNames: [names.toWire(choice.value)] };
  return { mode: choice.value === FunctionCallChoice_Mode.NONE ? ("NONE" as const) : ("AUTO" as const) };
}

/** Puts functions and the search together, where the model takes them together. */
export function assembleTools(
  params: ChatCompletionParams,
  { declarations, calling }: Pick<EncodedTools, "declarations" | "calling">,
  capabilities: Capabilities,
  adjustments: Adjustment[],
): { tools?: Tool[]; toolConfig?: ToolConfig } {
  const { webSearchOptions: search } = params;
  const tools: Tool[] = declarations.length > 0 ? [{ functionDeclarations: declarations }] : [];
  const toolConfig: ToolConfig =
    calling === undefined || declarations.length === 0 ? {} : { functionCallingConfig: calling };
  if (search !== undefined) {
    if (declarations.length > 0 && !capabilities.searchWithTools)
      throw unsupported("web_search_options", "the model does not search the web while it has functions to call");
    tools.push({ googleSearch: {} });
    if (declarations.length > 0) toolConfig.includeServerSideToolInvocations = true;
    if (search.searchContextSize !== 0)
      adjustments.push(dropped("web_search_options.search_context_size", "Gemini decides how much it reads"));
    if (search.userLocation !== undefined)
      adjustments.push(dropped("web_search_options.user_location", "Gemini takes no place by its name"));
  }
  return {
    ...(tools.length > 0 ? { tools } : {}),
    ...(Object.keys(toolConfig).length > 0 ? { toolConfig } : {}),
  };
}
