import { request as send } from "undici";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import type { UpstreamClient } from "../../src/upstream/client.ts";

/** A client of providers without any comfort: a connection for each request. */
export function createPlainClient(): UpstreamClient {
  return {
    async request(endpoint, { method, path, headers, body }, signal) {
      const answer = await send(`${endpoint.baseUrl}${path}`, {
        method,
        signal,
        headers: { ...endpoint.headers, ...endpoint.secretHeaders, ...headers, connection: "close" },
        ...(body === undefined ? {} : { body }),
      }).catch((thrown: unknown) => {
        signal.throwIfAborted();
        throw new GatewayError(Reason.UPSTREAM_UNREACHABLE, "the provider cannot be reached", { cause: thrown });
      });
      return {
        ok: answer.statusCode >= 200 && answer.statusCode < 300,
        status: answer.statusCode,
        header: (name) => [answer.headers[name]].flat()[0],
        receivedAt: Date.now(),
        body: answer.body,
        async text(maxBytes) {
          const text = await answer.body.text();
          if (Buffer.byteLength(text) <= maxBytes) return text;
          throw new GatewayError(Reason.UPSTREAM_INVALID_RESPONSE, `the answer has more than ${maxBytes} bytes`);
        },
        discard: () => void answer.body.destroy(),
      };
    },
    close: () => Promise.resolve(),
  };
}
