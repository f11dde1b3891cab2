import type { JsonObject } from "@bufbuild/protobuf";
import type { ChatCompletionParams, JsonSchemaFormat } from "../../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import { parseLossless } from "../../openai-json/lossless-json.ts";
import { mapped } from "../adjustment.ts";
import { unsupportedValue } from "../parameter-table.ts";
import { checkStrictSchema } from "../strict-schema.ts";
import type { Capabilities } from "./capabilities.ts";
import { cleanSchema } from "./clean-schema.ts";
import type { FunctionTool } from "./wire.ts";

/** How the form of an answer is brought about. */
export type AnswerForm =
  | { readonly kind: "text" }
  /** The model keeps to a schema. */
  | { readonly kind: "schema"; readonly schema: JsonObject }
  /** The model answers by calling a tool whose arguments are the answer. */
  | { readonly kind: "tool"; readonly tool: FunctionTool }
  /** The model is asked for JSON in words. */
  | { readonly kind: "words"; readonly words: string };

const PATH = "response_format";
const SCHEMA_PATH = `${PATH}.json_schema.schema`;
const WORDS = "Answer with one JSON object and nothing else: no text before or after it, and no Markdown.";

/** Decides how the form of the answer is brought about. `names`: of the tools. Fails where the form cannot be kept. */
export function chooseForm(
  { responseFormat }: ChatCompletionParams,
  names: ReadonlySet<string>,
  capabilities: Capabilities,
  adjustments: Adjustment[],
): AnswerForm {
  const format = responseFormat?.format;
  switch (format?.case) {
    case "jsonObject":
      return askInWords(adjustments);
    case "jsonSchema":
      return keepSchema(format.value, names, capabilities, adjustments);
    case "text":
    case undefined:
      return { kind: "text" };
    default:
      return format satisfies never;
  }
}

function askInWords(adjustments: Adjustment[]): AnswerForm {
  const why = "Anthropic has no mode for JSON without a schema: the model is asked for it";
  adjustments.push(mapped(PATH, why, "json_object", "system"));
  return { kind: "words", words: WORDS };
}

function keepSchema(
  format: JsonSchemaFormat,
  names: ReadonlySet<string>,
  { structuredOutput, forcedToolChoice }: Capabilities,
  adjustments: Adjustment[],
): AnswerForm {
  const { description, strict, definition } = format;
  if (definition.case === undefined) return askInWords(adjustments);
  const schema = definition.case === "schema" ? definition.value : (parseLossless(definition.value) as JsonObject);
  if (strict === true) checkStrictSchema(schema, PATH, SCHEMA_PATH);
  const clean = cleanSchema(schema, SCHEMA_PATH);
  if (structuredOutput && clean.lossy === undefined) {
    adjustments.push(...clean.adjustments);
    const said = description && clean.schema["description"] === undefined ? { description } : {};
    return { kind: "schema", schema: { ...said, ...clean.schema } };
  }
  const why =
    clean.lossy === undefined ? "this model cannot be held to a schema" : `the schema cannot be kept: ${clean.lossy}`;
  if (!forcedToolChoice || (schema["type"] !== undefined && schema["type"] !== "object"))
    throw unsupportedValue(SCHEMA_PATH, why);
  return { kind: "tool", tool: answerTool(format, schema, names) };
}

/** The tool that the model answers by. */
function answerTool(
  { name, description }: JsonSchemaFormat,
  schema: JsonObject,
  names: ReadonlySet<string>,
): FunctionTool {
  let unique = name;
  for (let count = 2; names.has(unique); count++) unique = `${name.slice(0, 60)}_${count}`;
  return {
    name: unique,
    description: description || "Gives the answer. Call it once, with the whole answer.",
    input_schema: { ...schema, type: "object" },
  };
}
