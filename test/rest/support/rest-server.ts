import http from "node:http";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { OPEN_CALLER } from "../../../src/admission/caller.ts";
import type { Doorkeeper } from "../../../src/admission/doorkeeper.ts";
import type { Operations } from "../../../src/gateway/operation.ts";
import { ChatService } from "../../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { ModelsService } from "../../../src/gen/parley/models/v1/models_service_pb.ts";
import type { HttpRequest, HttpResponse } from "../../../src/lib/http-exchange.ts";
import { parseRequestTarget } from "../../../src/rest/request-target.ts";
import { createRestHandler, type RestOptions } from "../../../src/rest/rest-handler.ts";
import { SERVICES } from "../../../src/rpc/handler.ts";
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

/** Lets everybody in. */
export const OPEN_DOOR: Doorkeeper = {
  admit: () => OPEN_CALLER,
  admitReader: async () => undefined,
  check: () => undefined,
};

const unexpected = (name: string) => () => {
  throw new Error(`${name} was called`);
};

/** Operations of which the given ones may be called. */
export function operationsOf(given: Partial<Operations>): Operations {
  const names = SERVICES.flatMap(({ methods }) => methods.map(({ localName }) => localName));
  return { ...Object.fromEntries(names.map((name) => [name, unexpected(name)])), ...given } as unknown as Operations;
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
    doorkeeper: OPEN_DOOR,
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
