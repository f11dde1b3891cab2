import type { Standing } from "../admission/limits/limiter.ts";
import { addStandingHeaders } from "../admission/limits/standing-headers.ts";
import { errorHeaders } from "../errors/connect-error.ts";
import type { GatewayError } from "../errors/gateway-error.ts";
import { toOpenAIError } from "../errors/openai-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { discardBody, hasUnreadBody } from "../lib/unread-body.ts";
import type { CallLog } from "../telemetry/call-log.ts";
import { attemptsText } from "./attempts-text.ts";
import type { AnswerHeaders, RestRequest, RestResponse } from "./exchange.ts";

/** One HTTP exchange. */
export interface Exchange {
  readonly request: RestRequest;
  readonly response: RestResponse;
  readonly log: CallLog;
  /** How it stands with the caller's limits, once the call was admitted. */
  standing: Standing | undefined;
}

/** Answers with JSON in one piece; to HEAD, with its headers alone. */
export function answerJson(exchange: Exchange, status: number, headers: AnswerHeaders, json: string): void {
  const all = headersOf(exchange, headers);
  all.push("content-type", "application/json", "content-length", String(Buffer.byteLength(json)));
  answer(exchange, status, all, json);
}

/** Answers without a body. */
export function answerEmpty(exchange: Exchange, status: number, headers: AnswerHeaders): void {
  answer(exchange, status, headersOf(exchange, headers), "");
}

/**
 * Answers with an error in OpenAI's shape. Where nobody waits for an answer any more, or another one has begun, none is
 * written and the connection ends.
 */
export function answerError(exchange: Exchange, error: GatewayError): void {
  if (error.reason === Reason.CANCELLED || exchange.response.headersSent) {
    exchange.request.socket?.destroy();
    return;
  }
  const { allow } = error.details;
  const headers = Object.entries(errorHeaders(error)).flat();
  if (allow !== undefined) headers.push("allow", allow.join(", "));
  answerJson(exchange, error.row.httpStatus, headers, JSON.stringify(toOpenAIError(error)));
}

/** The headers of an answer: these, and what is told of a call whatever came of it, with the time until its answer began in whole milliseconds. */
export function headersOf({ log, standing }: Exchange, headers: AnswerHeaders): string[] {
  const all = ["x-request-id", log.requestId, ...headers];
  if (log.attempts.length > 0) all.push("x-parley-attempts", attemptsText(log.attempts));
  if (standing !== undefined) addStandingHeaders(all, standing);
  all.push("openai-processing-ms", String(Math.round(log.elapsedMs())));
  return all;
}

function answer({ request, response }: Exchange, status: number, headers: string[], body: string): void {
  const text = request.method === "HEAD" ? "" : body;
  response.writeHead(status, headers);
  if (!hasUnreadBody(request)) {
    end(response, text);
  } else if (request.httpVersionMajor === 1 && text !== "") {
    // Ending the response may close the connection, and closing it under a client that still sends would reset it: the
    // reset can overtake the answer. So the answer is written whole, and ended when the client has sent what it wanted
    // to send.
    response.write(text);
    discardBody(request, () => end(response, ""));
  } else {
    end(response, text);
    discardBody(request);
  }
}

function end(response: RestResponse, text: string): void {
  if (text === "") response.end();
  else response.end(text);
}
