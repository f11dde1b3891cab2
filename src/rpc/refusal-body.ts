import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { GatewayError } from "../errors/gateway-error.ts";
import { toOpenAIError } from "../errors/openai-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { CallLog } from "../telemetry/call-log.ts";

/** What is answered to a request that belongs to no protocol of rpcs, by its status. */
const REFUSALS: Readonly<Record<number, (handler: UniversalHandler) => GatewayError>> = {
  405: ({ allowedMethods }) =>
    new GatewayError(Reason.METHOD_NOT_ALLOWED, `the method must be ${allowedMethods.join(" or ")}`),
  415: () =>
    new GatewayError(
      Reason.UNSUPPORTED_MEDIA_TYPE,
      "the content type is not that of gRPC, gRPC-Web or Connect, or of another kind of rpc",
    ),
  505: () => new GatewayError(Reason.INVALID_REQUEST, "a stream in both directions needs HTTP/2"),
};

/** Gives a refusal by status alone the body that all other refusals have, and `allow` to 405 (RFC 9110 §15.5.6). */
export function withBody(
  outgoing: UniversalServerResponse,
  handler: UniversalHandler,
  log: CallLog,
): UniversalServerResponse {
  const error = REFUSALS[outgoing.status]?.(handler);
  if (error === undefined || outgoing.body !== undefined) return outgoing;
  log.failed(error);
  const header = new Headers(outgoing.header);
  header.set("content-type", "application/json");
  if (outgoing.status === 405) header.set("allow", handler.allowedMethods.join(", "));
  return { ...outgoing, header, body: once(new TextEncoder().encode(JSON.stringify(toOpenAIError(error)))) };
}

async function* once(bytes: Uint8Array<ArrayBuffer>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  yield bytes;
}
