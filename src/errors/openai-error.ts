import { GatewayError } from "./gateway-error.ts";

/** The body of every REST answer that is not 2xx, and of the last event of a stream that failed. All four keys are always there. */
export interface OpenAIErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

/** Makes OpenAI's error object of anything thrown. */
export function toOpenAIError(thrown: unknown): OpenAIErrorBody {
  const error = GatewayError.from(thrown);
  return {
    error: { message: error.message, type: error.type, param: error.details.param ?? null, code: error.code },
  };
}
