/**
 * gRPC on HTTP/2, straight on the streams of node:http2
 * (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). It serves the rpcs of the table that Connect serves, too, and
 * takes only what clients of gRPC send every day; all else, right or wrong, is Connect's to answer.
 */
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { createMethodUrl } from "@connectrpc/connect/protocol";
import { GatewayError } from "../../errors/gateway-error.ts";
import { DueList } from "../../lib/due-list.ts";
import type { ServedMethod } from "../served-method.ts";
import { answerCall, type GrpcCalls, type GrpcExchange, type GrpcOptions } from "./call.ts";
import { type GrpcMethod, methodsByType } from "./method.ts";
import { createNegotiate } from "./negotiate.ts";

/** Serves gRPC. */
export interface GrpcHandler {
  /** The rpc that a request calls; undefined for a request that the handler does not take. */
  find(headers: IncomingHttpHeaders): GrpcMethod | undefined;
  /** Answers a request that calls that rpc. */
  handle(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, method: GrpcMethod, exchange: GrpcExchange): void;
}

/** Makes the handler of these rpcs. */
export function createGrpcHandler(methods: readonly ServedMethod[], options: GrpcOptions): GrpcHandler {
  const byPath = new Map(
    methods.map((served) => [createMethodUrl("/", served.method), methodsByType(served, options)]),
  );
  const negotiate = createNegotiate(options.acceptCompression);
  const calls: GrpcCalls = { ...options, negotiate, waiting: new DueList() };
  return {
    find(headers) {
      const { ":path": path = "", "content-type": type = "" } = headers;
      const method = byPath.get(path)?.get(type);
      if (method === undefined || headers[":method"] !== "POST") return undefined;
      return headers[":authority"] === undefined || headers.expect !== undefined ? undefined : method;
    },
    handle(stream, headers, method, exchange) {
      exchange.log.named(method.served.method.name);
      answerCall({ stream, headers, method, exchange, calls }).catch((thrown: unknown) => {
        // What a call failed with cannot be written.
        exchange.log.failed(GatewayError.from(thrown));
        stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      });
    },
  };
}
