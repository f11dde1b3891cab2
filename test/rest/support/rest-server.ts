import http from "node:http";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { Operations } from "../../../src/gateway/operation.ts";
import { ChatService } from "../../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { ModelsService } from "../../../src/gen/parley/models/v1/models_service_pb.ts";
import type { HttpRequest, HttpResponse } from "../../../src/lib/http-exchange.ts";
import { parseRequestTarget } from "../../../src/rest/request-target.ts";
import { createRestHandler, type RestOptions } from "../../../src/rest/rest-handler.ts";
import { CallLog } from "../../../src/telemetry/call-log.ts";

/** A REST door on a port of its own. */
export interface RestServer {
  readonly port: number;
  /** The exchanges so far. */
  readonly exchanges: readonly TestExchange[];
}

/** What the server side knows of one exchange. */
export interface TestExchange {
  readonly response: HttpResponse;
  readonly log: CallLog;
  /** Resolved when the handler is done with it. */
  readonly handled: Promise<void>;
}

const unexpected = (name: string) => () => {
  throw new Error(`${name} was called`);
};

/** Operations of which the given ones may be called. */
export function operationsOf(given: Partial<Operations>): Operations {
  return {
    createChatCompletion: unexpected("createChatCompletion"),
    streamChatCompletion: unexpected("streamChatCompletion"),
    explainChatCompletion: unexpected("explainChatCompletion"),
    listModels: unexpected("listModels"),
    getModel: unexpected("getModel"),
    ...given,
  };
}

/** Serves operations over HTTP/1.1, or with `h2c` over HTTP/2, until the test is over. */
export async function startRest(
  operations: Partial<Operations>,
  options: Partial<RestOptions> & { readonly h2c?: boolean } = {},
): Promise<RestServer> {
  const { h2c, ...restOptions } = options;
  const rest = createRestHandler({
    services: [ChatService, ModelsService],
    operations: operationsOf(operations),
    maxBodyBytes: 1024 * 1024,
    keepAliveMs: 60_000,
    maxTimeoutMs: 86_400_000,
    ...restOptions,
  });
  const exchanges: TestExchange[] = [];
  const serve = (request: HttpRequest, response: HttpResponse): void => {
    const log = new CallLog("req_test", "rest");
    exchanges.push({
      response,
      log,
      handled: rest.handle(request, response, parseRequestTarget(request.url ?? "/"), log),
    });
  };
  const server = h2c === true ? http2.createServer(serve) : http.createServer(serve);
  const sessions = new Set<http2.ServerHttp2Session>();
  if (!(server instanceof http.Server)) server.on("session", (session) => void sessions.add(session));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    if (server instanceof http.Server) server.closeAllConnections();
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => void server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, exchanges };
}
