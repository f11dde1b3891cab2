import { Http2ServerResponse } from "node:http2";
import type { Doorkeeper } from "../admission/doorkeeper.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { HttpRequest, HttpResponse } from "../lib/http-exchange.ts";
import { parseRequestTarget } from "../rest/request-target.ts";
import type { RestHandler } from "../rest/rest-handler.ts";
import type { RpcHandler } from "../rpc/handler.ts";
import type { Exchange } from "../telemetry/access-line.ts";
import { CallLog, type Door } from "../telemetry/call-log.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Signals } from "../telemetry/signals.ts";
import { answerMetrics } from "./answer-metrics.ts";
import type { Cors } from "./cors.ts";
import { isWholeStream, recordExchange } from "./record-exchange.ts";
import { identify, REQUEST_ID_HEADER, requestIdOf } from "./request-id.ts";
import { sendError, sendJson } from "./send-json.ts";

/** What stands behind the port. */
export interface DispatchOptions {
  readonly rpc: RpcHandler;
  readonly rest: RestHandler;
  readonly cors: Cors;
  readonly logger: Logger;
  readonly signals: Pick<Signals, "recordCall" | "scrape">;
  readonly doorkeeper: Pick<Doorkeeper, "admitReader">;
  /** Writes a call down that is over. */
  readonly recordRequest: (log: CallLog, exchange: Exchange) => void;
  /** Whether the server takes calls, and what it does without, or with less of: what `/readyz` answers. */
  readiness(): Readiness;
}

/** Whether a server takes calls. */
export interface Readiness {
  readonly ready: boolean;
  /** What is away, and what does without it: {"redis": "limits are each replica's own share"}. */
  readonly degraded: Readonly<Record<string, string>>;
}

/** Sends each request to the door it came for, gives it an id, and logs and records it when the exchange is over. */
export function createDispatch(options: DispatchOptions): (request: HttpRequest, response: HttpResponse) => void {
  const { rpc, rest, cors, signals, doorkeeper } = options;
  return (request, response) => {
    const target = parseRequestTarget(request.url ?? "/");
    const { path } = target;
    const requestId = requestIdOf(request.headers[REQUEST_ID_HEADER]);
    identify(response, requestId);
    const isRpc = rpc.serves(path);
    const isRest = !isRpc && !OWN_PATHS.has(path);
    // REST writes it with its other headers: Node copies all of them one by one where one was set before.
    if (!isRest || request.method === "OPTIONS") response.setHeader(REQUEST_ID_HEADER, requestId);
    if (path === "/healthz" || path === "/readyz") {
      answerProbe(request, response, path === "/healthz" ? ALIVE : options.readiness());
      return;
    }
    if (path === "/metrics") {
      void answerMetrics(request, response, { signals, doorkeeper });
      return;
    }
    const log = new CallLog(requestId, isRpc ? rpcDoor(request.headers["content-type"]) : "rest");
    response.on("close", () => {
      const { method = "", headers } = request;
      const status = response.headersSent ? response.statusCode : undefined;
      recordExchange(options, log, { method, path, headers, status, isWhole: isWhole(response) });
    });
    if (cors.handle(request, response)) return;
    if (isRpc) handleRpc(rpc, request, response, path, log);
    else void rest.handle(request, response, target, log);
  };
}

/** What is answered here. */
const OWN_PATHS: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/metrics"]);

/** Whether an answer that is closed got to its end. */
const isWhole = (response: HttpResponse): boolean =>
  response instanceof Http2ServerResponse ? isWholeStream(response.stream) : response.writableFinished;

/** The protocol of an rpc, by its content type; Connect's GET requests have none. */
function rpcDoor(contentType: string | undefined): Door {
  if (contentType?.startsWith("application/grpc-web")) return "grpc-web";
  return contentType?.startsWith("application/grpc") ? "grpc" : "connect";
}

/** Serves an rpc. One without an authority, which HTTP/1.0 and HTTP/2 do not require, is one that Connect cannot take. */
function handleRpc(rpc: RpcHandler, request: HttpRequest, response: HttpResponse, path: string, log: CallLog): void {
  try {
    rpc.handle(request, response, path, log);
  } catch (thrown) {
    log.failed(GatewayError.from(thrown));
    sendError(response, new GatewayError(Reason.INVALID_REQUEST, "an rpc needs a Host header"));
  }
}

const ALIVE: Readiness = { ready: true, degraded: {} };

/** Answers whether the process lives, or is ready. Probes come every few seconds, and are not logged. */
function answerProbe(request: HttpRequest, response: HttpResponse, { ready, degraded }: Readiness): void {
  const status = ready ? "ok" : "not ready";
  const json = JSON.stringify(Object.keys(degraded).length === 0 ? { status } : { status, degraded });
  sendJson(response, ready ? 200 : 503, json, request.method === "HEAD");
}
