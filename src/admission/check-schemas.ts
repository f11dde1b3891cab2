import { GatewayError } from "../errors/gateway-error.ts";
import type { ChatCompletionParams } from "../gen/parley/chat/v1/params_pb.ts";
import type { FunctionDefinition } from "../gen/parley/chat/v1/tool_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { isObject } from "../openai-json/is-object.ts";
import { MAX_EXACT, mayLose, TOO_LONG_TO_KEEP } from "../openai-json/lossless-json.ts";
import { formatPath } from "../openai-json/path.ts";
import { readJson } from "../openai-json/read-json.ts";

/** Most levels of a schema; those of a body are as many. */
const MAX_DEPTH = 64;

/**
 * Checks the JSON Schemas that are given as JSON text: REST takes objects only, so each text must be one, too. Fails with
 * INVALID_VALUE, naming the place in the schema.
 */
export function checkSchemas({ tools, functions, responseFormat }: ChatCompletionParams): void {
  for (let index = 0; index < tools.length; index++) {
    const kind = tools[index]?.kind;
    if (kind?.case === "function") checkParameters(kind.value, "tools", index, ".function");
  }
  for (let index = 0; index < functions.length; index++)
    checkParameters(functions[index] as FunctionDefinition, "functions", index, "");
  const format = responseFormat?.format;
  if (format?.case === "jsonSchema" && format.value.definition.case === "schemaJson")
    checkText(format.value.definition.value, "response_format.json_schema.schema");
}

function checkParameters({ schema }: FunctionDefinition, list: string, index: number, within: string): void {
  if (schema.case === "parametersJson") checkText(schema.value, `${list}[${index}]${within}.parameters`);
}

function checkText(text: string, path: string): void {
  if (text.length > MAX_EXACT && mayLose(text)) refuse(path, path, TOO_LONG_TO_KEEP);
  const read = readJson(text, MAX_DEPTH);
  if (read.fault === undefined) {
    if (!isObject(read.value)) refuse(path, path, "must be JSON text of an object");
    return;
  }
  const { path: inner, problem } = read.fault;
  if (inner === undefined) refuse(path, path, `must be JSON text: ${problem}`);
  else refuse(path, formatPath(inner, path), problem);
}

/** `param`: the schema, or the place in it, that has the problem. */
function refuse(schema: string, param: string, problem: string): never {
  const message = `${param} ${problem}`;
  throw new GatewayError(Reason.INVALID_VALUE, message, {
    param,
    violations: [{ path: `params.${schema}_json`, description: message, rule: "json.text" }],
  });
}
