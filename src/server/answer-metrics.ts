import type { Doorkeeper } from "../admission/doorkeeper.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { HttpRequest, HttpResponse } from "../lib/http-exchange.ts";
import type { Signals } from "../telemetry/signals.ts";
import { sendError } from "./send-json.ts";

/** Prometheus' text format. */
const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** What it takes to answer with metrics. */
export interface MetricsParts {
  readonly signals: Pick<Signals, "scrape">;
  readonly doorkeeper: Pick<Doorkeeper, "admitReader">;
}

/** Answers with all metrics as text, to whom may read them. Who does comes every few seconds, and is not logged. */
export async function answerMetrics(
  request: HttpRequest,
  response: HttpResponse,
  { signals, doorkeeper }: MetricsParts,
): Promise<void> {
  const { method = "" } = request;
  if (method !== "GET" && method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    sendError(response, new GatewayError(Reason.METHOD_NOT_ALLOWED, "/metrics is read by GET"));
    return;
  }
  try {
    await doorkeeper.admitReader(request.headers, method);
    const text = await signals.scrape();
    response.statusCode = 200;
    response.setHeader("content-type", CONTENT_TYPE);
    response.setHeader("content-length", Buffer.byteLength(text));
    response.end(method === "HEAD" ? "" : text);
  } catch (thrown) {
    sendError(response, GatewayError.from(thrown));
  }
}
