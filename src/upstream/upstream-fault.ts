import { errors } from "undici";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { interrupted, invalidResponse } from "../providers/upstream-error.ts";

/**
 * The error for an exchange that failed before the head of its answer came. Whether the provider has begun to work is not known
 * where a connection broke that was there; it is where there was none.
 */
export function faultBeforeHead(provider: string, fault: unknown): GatewayError {
  const code = codeOf(fault);
  if (fault instanceof errors.HTTPParserError) return invalidResponse(provider, "what is no HTTP", fault);
  switch (code) {
    case "UND_ERR_HEADERS_OVERFLOW":
      return invalidResponse(provider, "too large a head", fault);
    case "UND_ERR_INVALID_ARG":
      if (isOfProxy(fault)) break;
      return new GatewayError(
        Reason.INTERNAL,
        `the request to ${provider} cannot be sent: an address or a header that is configured for it has characters that are not allowed`,
        { cause: fault, retryable: false },
      );
    case "UND_ERR_CLOSED":
    case "UND_ERR_DESTROYED":
      return new GatewayError(Reason.SHUTTING_DOWN, "the server is going down", { cause: fault });
    default:
  }
  return new GatewayError(Reason.UPSTREAM_UNREACHABLE, `${provider} could not be reached: ${why(code, fault)}`, {
    cause: fault,
  });
}

/** The error for a body that ended before its end, which is read piece by piece. */
export function faultInStream(provider: string, fault: unknown): GatewayError {
  return isOfEncoding(fault) ? undecodable(provider, fault) : interrupted(provider, fault);
}

/** The error for a body that ended before its end, of which only the whole is of use. */
export function faultInBody(provider: string, fault: unknown): GatewayError {
  return isOfEncoding(fault) ? undecodable(provider, fault) : invalidResponse(provider, "a body that is cut", fault);
}

const undecodable = (provider: string, fault: unknown): GatewayError =>
  invalidResponse(provider, "a body that cannot be decompressed", fault);

const REFUSED: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens at its address",
  ENOTFOUND: "its host name is not known",
  EAI_AGAIN: "its host name could not be looked up",
  ECONNRESET: "the connection was reset before an answer came",
  EPIPE: "the connection was closed before an answer came",
  UND_ERR_SOCKET: "the connection was closed before an answer came",
  UND_ERR_CONNECT_TIMEOUT: "no connection came about in time",
  ETIMEDOUT: "no connection came about in time",
  EHOSTUNREACH: "there is no way to its address",
  ENETUNREACH: "there is no way to its address",
};

function why(code: string, fault: unknown): string {
  if (isOfProxy(fault)) return "the proxy did not let the request through";
  if (/CERT|^ERR_TLS_|^ERR_SSL_|SIGNATURE|^EPROTO$/.test(code))
    return "no TLS connection that can be trusted came about";
  return REFUSED[code] ?? "the connection failed";
}

// The client tells faults of a proxy by its messages alone, where the proxy speaks plain HTTP.
const isOfProxy = (fault: unknown): boolean =>
  codeOf(fault).startsWith("UND_ERR_PRX_") ||
  (fault instanceof Error && /^Proxy (?:response|authentication)/i.test(fault.message));

const isOfEncoding = (fault: unknown): boolean =>
  /^(?:Z_DATA_|Z_STREAM_|Z_NEED_|ERR_BROTLI|ERR__ERROR|ZSTD_)/.test(codeOf(fault));

function codeOf(fault: unknown): string {
  const code: unknown = fault instanceof Error && "code" in fault ? fault.code : undefined;
  return typeof code === "string" ? code : "";
}
