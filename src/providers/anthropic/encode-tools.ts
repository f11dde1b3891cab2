import type { JsonObject } from "@bufbuild/protobuf";
import { GatewayError } from "../../errors/gateway-error.ts";
import {
  type ApproximateLocation,
  type ChatCompletionParams,
  WebSearchOptions_SearchContextSize,
} from "../../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import { type CustomTool, type FunctionDefinition, Grammar_Syntax } from "../../gen/parley/chat/v1/tool_pb.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import { parseLossless } from "../../openai-json/lossless-json.ts";
import { dropped, mapped } from "../adjustment.ts";
import { unsupported } from "../parameter-table.ts";
import type { Conversation } from "../turns.ts";
import type { Capabilities } from "./capabilities.ts";
import { cleanSchema } from "./clean-schema.ts";
import { encodeName } from "./encode-calls.ts";
import type { FunctionTool, WebSearchTool } from "./wire.ts";

/** Schema of a function without parameters. */
const NO_PARAMETERS: FunctionTool["input_schema"] = { type: "object", properties: {} };

/** Makes the tools that a request defines, in either form, without those that are not allowed. */
export function encodeTools(
  { tools, functions }: ChatCompletionParams,
  allowed: ReadonlySet<string> | undefined,
  capabilities: Capabilities,
  adjustments: Adjustment[],
): FunctionTool[] {
  const encoded = tools.flatMap(({ kind }, index): FunctionTool[] => {
    const path = `tools[${index}]`;
    switch (kind.case) {
      case "function":
        return [encodeFunction(kind.value, `${path}.function`, capabilities, adjustments)];
      case "custom":
        return [encodeCustom(kind.value, `${path}.custom`, adjustments)];
      case undefined:
        return [];
      default:
        return kind satisfies never;
    }
  });
  for (const [index, definition] of functions.entries())
    encoded.push(encodeFunction(definition, `functions[${index}]`, capabilities, adjustments));
  return allowed === undefined ? encoded : encoded.filter(({ name }) => allowed.has(name));
}

function encodeFunction(
  definition: FunctionDefinition,
  path: string,
  { structuredOutput }: Capabilities,
  adjustments: Adjustment[],
): FunctionTool {
  const { name, description, strict } = definition;
  const schema = parametersOf(definition);
  const tool: FunctionTool = {
    name,
    ...(description ? { description } : {}),
    input_schema: schema === undefined ? NO_PARAMETERS : asObject(schema, `${path}.parameters`, adjustments),
  };
  if (strict !== true) return tool;
  if (!structuredOutput) {
    adjustments.push(dropped(`${path}.strict`, "this model cannot be held to a schema", true));
    return tool;
  }
  const clean = cleanSchema(tool.input_schema, `${path}.parameters`);
  if (clean.lossy !== undefined) {
    adjustments.push(dropped(`${path}.strict`, `Anthropic cannot hold a model to this schema: ${clean.lossy}`, true));
    return tool;
  }
  adjustments.push(...clean.adjustments);
  return { ...tool, input_schema: { ...clean.schema, type: "object" }, strict: true };
}

/** The schema of a function; numbers in it stay what they are. */
function parametersOf({ schema }: FunctionDefinition): JsonObject | undefined {
  switch (schema.case) {
    case "parameters":
      return schema.value;
    case "parametersJson":
      return parseLossless(schema.value) as JsonObject;
    case undefined:
      return undefined;
    default:
      return schema satisfies never;
  }
}

/** Anthropic wants objects, and their type said. */
function asObject(schema: JsonObject, path: string, adjustments: Adjustment[]): FunctionTool["input_schema"] {
  const { type } = schema;
  if (type !== undefined && type !== "object")
    adjustments.push(mapped(`${path}.type`, "arguments are an object", type, "object"));
  return { ...schema, type: "object" };
}

/** A tool with free text is a function with one text; the answer is taken apart again. */
function encodeCustom(
  { name, description, format }: CustomTool,
  path: string,
  adjustments: Adjustment[],
): FunctionTool {
  const lines = description ? [description] : [];
  if (format?.kind.case === "grammar") {
    const { definition, syntax } = format.kind.value;
    const word = syntax === Grammar_Syntax.REGEX ? "regular expression" : "Lark grammar";
    lines.push(`The input must match this ${word}:\n${definition}`);
    const why = "Anthropic cannot hold a model to a grammar: it is asked for in the description";
    adjustments.push(mapped(`${path}.format`, why, "grammar", "description"));
  }
  return {
    name,
    ...(lines.length === 0 ? {} : { description: lines.join("\n\n") }),
    input_schema: {
      type: "object",
      properties: { input: { type: "string" } },
      required: ["input"],
      additionalProperties: false,
    },
  };
}

/** The search of the web, which Anthropic does itself. */
export function encodeWebSearch(
  { webSearchOptions: options }: ChatCompletionParams,
  names: ReadonlySet<string>,
  adjustments: Adjustment[],
): WebSearchTool | undefined {
  if (options === undefined) return undefined;
  const name = "web_search";
  if (names.has(name))
    throw unsupported("web_search_options", `Anthropic names its search "${name}", as one of the tools`);
  const size = options.searchContextSize;
  if (size !== WebSearchOptions_SearchContextSize.UNSPECIFIED) {
    const word = WebSearchOptions_SearchContextSize[size]?.toLowerCase() ?? "";
    adjustments.push(dropped("web_search_options.search_context_size", "Anthropic's search has no such bound", word));
  }
  const place = options.userLocation?.approximate;
  return {
    type: "web_search_20260318",
    name,
    // Without it, newer versions search from within code, which not every model can.
    allowed_callers: ["direct"],
    ...(place === undefined ? {} : { user_location: { type: "approximate", ...locationOf(place) } }),
  };
}

function locationOf({ city, country, region, timezone }: ApproximateLocation) {
  return {
    ...(city ? { city } : {}),
    ...(country ? { country } : {}),
    ...(region ? { region } : {}),
    ...(timezone ? { timezone } : {}),
  };
}

/** Anthropic wants the tools defined that a conversation has used, also where none may be called any more. */
export function toolsOfHistory({ turns }: Conversation, adjustments: Adjustment[]): FunctionTool[] {
  const names = new Set(turns.flatMap((turn) => (turn.kind === "assistant" ? turn.calls.map(encodeName) : [])));
  if (names.size === 0) return [];
  const why = "Anthropic wants the tools defined that were called before; they may not be called again";
  adjustments.push(mapped("tools", why, "none", [...names].join(", ").slice(0, 64)));
  return [...names].map((name) => ({ name, input_schema: NO_PARAMETERS }));
}

/** Refuses tools of the same name, which Anthropic does not tell apart either. */
export function checkNames(tools: readonly FunctionTool[], path: string): Set<string> {
  const names = new Set<string>();
  for (const { name } of tools) {
    if (names.has(name))
      throw new GatewayError(Reason.INVALID_VALUE, `${path}: "${name}" is defined twice`, { param: path });
    names.add(name);
  }
  return names;
}
