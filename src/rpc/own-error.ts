import { Code, ConnectError } from "@connectrpc/connect";
import { toConnectError } from "../errors/connect-error.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";

/**
 * Makes an error that Connect raises by itself (a message that cannot be decoded, or is too large; a deadline that is no number,
 * or has passed) the same as ours: the code of the catalogue, and google.rpc details. It is changed in place, because Connect
 * sends the very one. Returns what the log has to know; undefined for an error that is ours already, and for an end without one.
 */
export function adoptError(thrown: unknown, hasBegun: boolean): GatewayError | undefined {
  if (!(thrown instanceof ConnectError)) {
    const isEnd = thrown instanceof Error && thrown.name === "AbortError";
    return isEnd ? undefined : GatewayError.from(thrown);
  }
  if (thrown.cause instanceof GatewayError) return undefined;
  const error = hasBegun ? GatewayError.from(thrown) : refusal(thrown);
  const own = toConnectError(error);
  thrown.details.push(...own.details);
  for (const [name, value] of own.metadata) thrown.metadata.set(name, value);
  return Object.assign(thrown, { code: own.code }) && error;
}

/** Connect calls it internal when a message cannot be decoded, which would look like a fault of the gateway. */
function refusal(thrown: ConnectError): GatewayError {
  if (thrown.code !== Code.Internal) return GatewayError.from(thrown);
  return new GatewayError(Reason.INVALID_REQUEST, thrown.rawMessage, { cause: thrown });
}
