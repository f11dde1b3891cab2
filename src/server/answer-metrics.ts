import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { HttpRequest, HttpResponse } from "../lib/http-exchange.ts";
import type { Signals } from "../telemetry/signals.ts";
import { sendError } from "./send-json.ts";

/** Prometheus' text format. */
const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Answers with all metrics as text. Who reads them comes every few seconds, and is not logged. */
export async function answerMetrics(
  request: HttpRequest,
  response: HttpResponse,
  { scrape }: Pick<Signals, "scrape">,
): Promise<void> {
  const { method = "" } = request;
  if (method !== "GET" && method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    sendError(response, new GatewayError(Reason.METHOD_NOT_ALLOWED, "/metrics is read by GET"));
    return;
  }
  try {
    const text = await scrape();
    response.statusCode = 200;
    response.setHeader("content-type", CONTENT_TYPE);
    response.setHeader("content-length", Buffer.byteLength(text));
    response.end(method === "HEAD" ? "" : text);
  } catch (thrown) {
    sendError(response, GatewayError.from(thrown));
  }
}
