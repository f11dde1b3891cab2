import { constants, Http2ServerResponse } from "node:http2";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { type ConnectRouterOptions, createConnectRouter } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { type Caller, OPEN_CALLER } from "../admission/caller.ts";
import type { Doorkeeper } from "../admission/doorkeeper.ts";
import { clientGone } from "../errors/client-gone.ts";
import { toConnectError } from "../errors/connect-error.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { HttpRequest, HttpResponse } from "../lib/http-exchange.ts";
import type { CallLog } from "../telemetry/call-log.ts";
import { boundTimeout } from "./bound-timeout.ts";
import { callOf, type RpcCall, withCall } from "./call-context.ts";
import { adoptError } from "./own-error.ts";
import { withBody } from "./refusal-body.ts";
import { openRequestBody } from "./request-body.ts";
import { sendPlainStatusMessage } from "./status-message.ts";
import { releaseUnreadBody } from "./unread-body.ts";

/** What the handler needs besides Connect's own options. */
export type NodeHandlerOptions = ConnectRouterOptions & {
  readonly doorkeeper: Doorkeeper;
  /** The services of which the doorkeeper is asked. */
  readonly services: readonly DescService[];
};

/** Serves rpcs over Node's HTTP. */
export interface NodeHandler {
  /** Paths of the rpcs. */
  readonly paths: ReadonlySet<string>;
  /** Answers a request with one of these paths. */
  handle(request: HttpRequest, response: HttpResponse, path: string, log: CallLog): void;
}

/**
 * Does what connect-node's own adapter does, and more: errors that Connect raises by itself look like ours and get to the log, a
 * deadline ends the reading of a request, what is left of a request does not outlive its answer, status messages are readable,
 * refusals have a body, and nothing is printed past the logger.
 */
export function createNodeHandler(
  addServices: (router: ConnectRouter) => void,
  { doorkeeper, services, ...options }: NodeHandlerOptions,
): NodeHandler {
  const ofApi = new Set(services.map(({ typeName }) => typeName));
  /** Health and reflection are everybody's. */
  const isOfApi = ({ service }: UniversalHandler): boolean => ofApi.has(service.typeName);
  const router = createConnectRouter({
    requestGate: (context) => callOf(context).opened(context.signal),
    ...options,
  });
  addServices(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return {
    paths: new Set(handlers.keys()),
    handle(request, response, path, log) {
      const handler = handlers.get(path);
      if (handler === undefined) throw new Error(`not the path of an rpc: ${path}`);
      log.named(handler.method.name);
      const body = openRequestBody(request);
      releaseUnreadBody(request, response);
      sendPlainStatusMessage(response);
      const call: RpcCall = {
        log,
        caller: OPEN_CALLER,
        hasBegun: false,
        opened(signal) {
          // Connect aborts the signal with each error before it sends it.
          onAbort(signal, () => ended(signal.reason));
          return isOfApi(handler) ? letIn(call, handler.method, request) : undefined;
        },
      };
      const incoming = universalRequestFromNodeRequest(request, response, undefined, withCall(call));
      const ended = (reason: unknown): void => {
        if (incoming.signal.aborted) return; // The client is gone, and nobody reads what is said of it.
        const error = adoptError(reason, call.hasBegun);
        if (error === undefined) return;
        log.failed(error);
        if (error.reason === Reason.DEADLINE_EXCEEDED) body.breakOff(reason);
      };
      boundTimeout(incoming.header);
      handler(incoming)
        .then((outgoing) => universalResponseToNodeResponse(withBody(outgoing, handler, log), response))
        // In most cases, what cannot be written has no reader; else it is a fault of ours.
        .catch((thrown: unknown) => {
          const isClientGone = response.destroyed || request.destroyed || request.aborted;
          log.failed(isClientGone ? clientGone() : GatewayError.from(thrown));
          abandon(response);
        });
    },
  };

  /** Finds out who calls. Nothing is awaited where that is known at once. */
  function letIn(
    call: RpcCall,
    method: DescMethod,
    { headers, method: httpMethod }: HttpRequest,
  ): void | Promise<void> {
    const { log } = call;
    const enter = (caller: Caller): void => {
      call.caller = caller;
      log.identified(caller.id);
    };
    const refuse = (thrown: unknown): never => {
      log.failed(GatewayError.from(thrown));
      throw toConnectError(thrown);
    };
    try {
      const found = doorkeeper.admit(headers, [method], httpMethod);
      return found instanceof Promise ? found.then(enter).catch(refuse) : enter(found);
    } catch (thrown) {
      return refuse(thrown);
    }
  }
}

/** Calls back when the signal is aborted, or at once when it is already. */
function onAbort(signal: AbortSignal, callback: () => void): void {
  if (signal.aborted) callback();
  else signal.addEventListener("abort", callback, { once: true });
}

/** Ends an answer that cannot go on, so that a client that is still there does not wait for the rest. */
function abandon(response: HttpResponse): void {
  if (response instanceof Http2ServerResponse) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.destroy();
}
