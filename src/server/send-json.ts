import { errorHeaders } from "../errors/connect-error.ts";
import type { GatewayError } from "../errors/gateway-error.ts";
import { toOpenAIError } from "../errors/openai-error.ts";
import type { HttpResponse } from "../lib/http-exchange.ts";

/** Answers with JSON in one piece; `headOnly`: with the headers of it alone. */
export function sendJson(response: HttpResponse, status: number, json: string, headOnly = false): void {
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", Buffer.byteLength(json));
  response.end(headOnly ? "" : json);
}

/** Answers with an error, in OpenAI's shape and with its own status. */
export function sendError(response: HttpResponse, error: GatewayError): void {
  for (const [name, value] of Object.entries(errorHeaders(error))) response.setHeader(name, value);
  sendJson(response, error.row.httpStatus, JSON.stringify(toOpenAIError(error)));
}
