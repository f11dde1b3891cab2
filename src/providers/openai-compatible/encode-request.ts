import { type ChatCompletionParams, ChatCompletionParamsSchema } from "../../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import { encodeJson } from "../../openai-json/encode.ts";
import { parseLossless } from "../../openai-json/lossless-json.ts";
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
  const body = encodeJson(ChatCompletionParamsSchema, params, { nulls: false });
  if (seed !== undefined) body[traits.seed] = parseLossless(String(seed));
  if (body["tool_choice"] === "required") body["tool_choice"] = traits.requiredChoice;
  if (call.streaming) {
    body["stream"] = true;
    // The usage is wanted always: who asked for it is the gateway's business.
    if (traits.streamOptions) body["stream_options"] = { include_usage: true };
  }
  return { body: body as unknown as ChatRequest, adjustments };
}
