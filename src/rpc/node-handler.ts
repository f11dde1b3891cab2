import { constants, Http2ServerResponse } from "node:http2";
import type { ConnectRouter } from "@connectrpc/connect";
import {
  type Code,
  ConnectError,
  type ConnectRouterOptions,
  type ContextValues,
  createConnectRouter,
} from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { clientGone } from "../errors/client-gone.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { HttpRequest, HttpResponse } from "../lib/http-exchange.ts";
import type { CallLog } from "../telemetry/call-log.ts";
import { sendPlainStatusMessage } from "./status-message.ts";
import { releaseUnreadBody } from "./unread-body.ts";

/** Serves rpcs over Node's HTTP. */
export interface NodeHandler {
  /** Paths of the rpcs. */
  readonly paths: ReadonlySet<string>;
  /** Answers a request with one of these paths. */
  handle(request: HttpRequest, response: HttpResponse, path: string, log: CallLog): void;
}

/**
 * Does what connect-node's own adapter does, and more: the log learns of the errors that Connect answers by itself, what is left of a
 * request does not outlive its answer, status messages are readable, and nothing is printed past the logger.
 */
export function createNodeHandler(
  addServices: (router: ConnectRouter) => void,
  contextValues: (log: CallLog) => ContextValues,
  options: ConnectRouterOptions,
): NodeHandler {
  const router = createConnectRouter({ acceptCompression: [compressionGzip, compressionBrotli], ...options });
  addServices(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return {
    paths: new Set(handlers.keys()),
    handle(request, response, path, log) {
      const handler = handlers.get(path);
      if (handler === undefined) throw new Error(`not the path of an rpc: ${path}`);
      log.named(handler.method.name);
      releaseUnreadBody(request, response);
      sendPlainStatusMessage(response);
      const incoming = universalRequestFromNodeRequest(request, response, undefined, contextValues(log));
      handler(incoming)
        .then((outgoing) => {
          // On HTTP/2, the response says that it is finished only when the client is, too.
          const written = response instanceof Http2ServerResponse ? response.stream : response;
          written.once("finish", () => noteStatus(outgoing, log));
          return universalResponseToNodeResponse(outgoing, response);
        })
        // In most cases, what cannot be written has no reader; else it is a fault of ours.
        .catch((thrown: unknown) => {
          const isClientGone = response.destroyed || request.destroyed || request.aborted;
          log.failed(isClientGone ? clientGone() : GatewayError.from(thrown));
          abandon(response);
        });
    },
  };
}

/** Ends an answer that cannot go on, so that a client that is still there does not wait for the rest. */
function abandon(response: HttpResponse): void {
  if (response instanceof Http2ServerResponse) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.destroy();
}

/** Tells the log of an error that Connect has answered with; one of ours it knows already. */
function noteStatus({ trailer }: UniversalServerResponse, log: CallLog): void {
  const status = Number(trailer?.get("grpc-status") ?? 0);
  if (status > 0) log.failed(GatewayError.from(new ConnectError(trailer?.get("grpc-message") ?? "", status as Code)));
}
