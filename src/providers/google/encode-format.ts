import type { JsonObject } from "@bufbuild/protobuf";
import type { ChatCompletionParams, JsonSchemaFormat } from "../../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import { parseLossless } from "../../openai-json/lossless-json.ts";
import { dropped, mapped } from "../adjustment.ts";
import { unsupported, unsupportedValue } from "../parameter-table.ts";
import { checkStrictSchema } from "../strict-schema.ts";
import type { Capabilities } from "./capabilities.ts";
import { asObjectSchema, cleanSchema } from "./clean-schema.ts";
import { type EncodedTools, reportLost } from "./encode-tools.ts";
import { toOpenApi } from "./openapi-schema.ts";
import type { GenerationConfig } from "./wire.ts";

/** What is sent for the form of an answer. */
export interface EncodedFormat {
  readonly config: Pick<GenerationConfig, "responseMimeType" | "responseJsonSchema" | "responseSchema">;
  /** The tools, as the form leaves them. */
  readonly tools: Pick<EncodedTools, "declarations" | "calling">;
  /** Name of the function whose arguments are the answer: models that take no form beside functions are given one. */
  readonly answerFunction: string | undefined;
}

const JSON_TYPE = "application/json";
const SCHEMA_PATH = "response_format.json_schema.schema";

/** Says the form of an answer in Gemini's terms. */
export function encodeFormat(
  { responseFormat }: ChatCompletionParams,
  tools: EncodedTools,
  capabilities: Capabilities,
  adjustments: Adjustment[],
): EncodedFormat {
  const plain: EncodedFormat = { config: {}, tools, answerFunction: undefined };
  const format = responseFormat?.format;
  if (format?.case !== "jsonSchema" && format?.case !== "jsonObject") return plain;
  const schema = format.case === "jsonSchema" ? schemaOf(format.value, adjustments) : undefined;
  const { declarations, calling } = tools;
  if (declarations.length === 0) return { ...plain, config: nativeConfig(schema, capabilities) };
  switch (calling?.mode) {
    case "ANY":
      adjustments.push(dropped("response_format", "the answer is the call of a tool, which tool_choice forces"));
      return plain;
    case "NONE":
      return { ...plain, config: nativeConfig(schema, capabilities), tools: { declarations: [], calling: undefined } };
    default:
  }
  if (capabilities.jsonWithTools) {
    if (calling?.mode === "VALIDATED")
      adjustments.push(dropped("tools", "Gemini holds no arguments to a schema strictly beside a form of the answer"));
    const auto = calling === undefined ? undefined : { mode: "AUTO" as const };
    return { ...plain, config: nativeConfig(schema, capabilities), tools: { declarations, calling: auto } };
  }
  if (format.case === "jsonObject" || schema === undefined)
    throw unsupported("response_format", "the model gives JSON together with tools only by a schema");
  return answerByFunction(format.value, schema, tools, adjustments);
}

/** The form as it is given, clean. A strict one is held to OpenAI's limits first. */
function schemaOf(format: JsonSchemaFormat, adjustments: Adjustment[]): JsonObject | undefined {
  const { definition, description, strict } = format;
  if (definition.case === undefined) return undefined;
  const given = definition.case === "schema" ? definition.value : (parseLossless(definition.value) as JsonObject);
  if (strict === true) checkStrictSchema(given, "response_format", SCHEMA_PATH);
  const { schema, lost } = cleanSchema(given, SCHEMA_PATH);
  adjustments.push(...reportLost(SCHEMA_PATH, lost));
  return description === undefined || "description" in schema || "$ref" in schema ? schema : { ...schema, description };
}

function nativeConfig(schema: JsonObject | undefined, { jsonSchema }: Capabilities): EncodedFormat["config"] {
  if (schema === undefined) return { responseMimeType: JSON_TYPE };
  if (jsonSchema) return { responseMimeType: JSON_TYPE, responseJsonSchema: schema };
  return { responseMimeType: JSON_TYPE, responseSchema: toOpenApi(schema, SCHEMA_PATH) };
}

/** Has the answer come as the arguments of a function of ours: the model must call that one, or one of the caller's. */
function answerByFunction(
  { name, description }: JsonSchemaFormat,
  schema: JsonObject,
  { declarations, names }: EncodedTools,
  adjustments: Adjustment[],
): EncodedFormat {
  const parameters = asObjectSchema(schema);
  if ("type" in schema && schema["type"] !== "object")
    throw unsupportedValue(SCHEMA_PATH, "the model gives only objects by a schema together with tools");
  const answerFunction = names.reserve(name);
  adjustments.push(
    mapped("response_format", "the model takes no form beside tools", "json_schema", "a function for the answer"),
  );
  const answer = {
    name: answerFunction,
    description: description ?? "Gives the final answer to the user. Call it once no other function is needed.",
    parametersJsonSchema: parameters,
  };
  return {
    config: {},
    tools: { declarations: [...declarations, answer], calling: { mode: "ANY" } },
    answerFunction,
  };
}
