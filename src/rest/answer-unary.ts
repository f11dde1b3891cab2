import type { Message } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import type { CallReport } from "../gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { stringifyJson } from "../openai-json/encode.ts";
import { answerJson, type Exchange } from "./answer.ts";
import type { AnswerHeaders } from "./exchange.ts";
import { messageAt } from "./field-path.ts";
import { reportHeaders } from "./report-headers.ts";
import type { UnaryTarget } from "./route-target.ts";

/**
 * Answers with the response of a unary rpc, or the field of it that is the HTTP body. `headers` are those besides the
 * report's.
 */
export function answerUnary(exchange: Exchange, target: UnaryTarget, response: Message, headers: AnswerHeaders): void {
  const { method, status, responseBody, report } = target;
  const body = responseBody === undefined ? response : messageAt(response, responseBody);
  if (body === undefined) {
    throw new GatewayError(Reason.INTERNAL, `${method.name} answered without its ${responseBody?.name}`);
  }
  const done = report && (messageAt(response, report) as CallReport | undefined);
  const json = stringifyJson(responseBody?.message ?? method.output, body, { nulls: true });
  answerJson(exchange, status, [...headers, ...reportHeaders(done)], json);
}
