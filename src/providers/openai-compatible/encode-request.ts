import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { type ChatCompletionParams, ChatCompletionParamsSchema } from "../../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import type { FunctionDefinition } from "../../gen/parley/chat/v1/tool_pb.ts";
import { encodeJson } from "../../openai-json/encode.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { parseLossless } from "../lossless-json.ts";
import type { ProviderCall } from "../provider.ts";
import { adjustParameters } from "./adjust-parameters.ts";
import { encodeMessages } from "./encode-messages.ts";
import { encodeTools } from "./encode-tools.ts";
import { functionsAsTools } from "./legacy-functions.ts";
import type { Traits } from "./quirks.ts";
import type { ChatRequest } from "./wire.ts";

/** A request's body, and what had to be said in another way. */
export interface EncodedRequest {
  readonly body: ChatRequest;
  readonly adjustments: readonly Adjustment[];
}

/**
 * The body of a chat request: the request's own JSON with what is different about the server and the model. Throws
 * UNSUPPORTED_PARAMETER for what they can't do.
 */
export function encodeRequest(call: ProviderCall, traits: Traits): EncodedRequest {
  const adjustments: Adjustment[] = [];
  // The gateway's own parameters stay here.
  const params: ChatCompletionParams = {
    ...call.params,
    model: call.model,
    stream: undefined,
    streamOptions: undefined,
    async: undefined,
  };
  params.messages = encodeMessages(params.messages, { model: call.model, traits, media: call.media, adjustments });
  encodeTools({ params, traits, adjustments });
  adjustParameters({ params, traits, adjustments });
  if (!traits.legacyFunctions) functionsAsTools({ params, traits, adjustments });
  const { seed } = params;
  // It may have more digits than the codec's numbers.
  params.seed = undefined;
  const body = encodeJson(ChatCompletionParamsSchema, withoutSchemas(params), { nulls: false });
  putSchemas(body, params);
  if (seed !== undefined) body[traits.seed] = parseLossless(String(seed));
  if (body["tool_choice"] === "required") body["tool_choice"] = traits.requiredChoice;
  if (call.streaming) {
    body["stream"] = true;
    // The usage is wanted always: who asked for it is the gateway's business.
    if (traits.streamOptions) body["stream_options"] = { include_usage: true };
  }
  return { body: body as unknown as ChatRequest, adjustments };
}

/** What stands in the place of a schema that came as text: the codec's numbers are doubles, and it would read it only to write it. */
const STAND_IN = "{}";

function withoutSchemas(params: ChatCompletionParams): ChatCompletionParams {
  const { tools, functions, responseFormat } = params;
  const format = responseFormat?.format;
  return {
    ...params,
    tools: tools.map((tool) =>
      tool.kind.case === "function" && tool.kind.value.schema.case === "parametersJson"
        ? { ...tool, kind: { case: "function", value: withoutSchema(tool.kind.value) } }
        : tool,
    ),
    functions: functions.map((one) => (one.schema.case === "parametersJson" ? withoutSchema(one) : one)),
    ...(responseFormat !== undefined && format?.case === "jsonSchema" && format.value.definition.case === "schemaJson"
      ? {
          responseFormat: {
            ...responseFormat,
            format: {
              case: "jsonSchema",
              value: { ...format.value, definition: { case: "schemaJson", value: STAND_IN } },
            },
          },
        }
      : {}),
  };
}

const withoutSchema = (one: FunctionDefinition): FunctionDefinition => ({
  ...one,
  schema: { case: "parametersJson", value: STAND_IN },
});

/** Puts the schemas that came as text into their places, with all digits of their numbers. */
function putSchemas(body: JsonObject, { tools, functions, responseFormat }: ChatCompletionParams): void {
  for (const [at, { kind }] of tools.entries())
    if (kind.case === "function" && kind.value.schema.case === "parametersJson")
      put(body, ["tools", at, "function", "parameters"], kind.value.schema.value);
  for (const [at, { schema }] of functions.entries())
    if (schema.case === "parametersJson") put(body, ["functions", at, "parameters"], schema.value);
  const format = responseFormat?.format;
  if (format?.case === "jsonSchema" && format.value.definition.case === "schemaJson")
    put(body, ["response_format", "json_schema", "schema"], format.value.definition.value);
}

function put(root: JsonObject, path: readonly (string | number)[], text: string): void {
  let place: JsonValue | undefined = root;
  for (const step of path.slice(0, -1))
    place = Array.isArray(place) ? place[step as number] : isObject(place) ? place[step] : undefined;
  if (isObject(place)) place[path.at(-1) as string] = parseLossless(text);
}
