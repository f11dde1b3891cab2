import type { OutgoingHttpHeaders } from "node:http2";
import type { ConnectError } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { encodeStatusMessage, GRPC_MESSAGE } from "../status-message.ts";

/** The trailers of a call that went well. */
export const OK: OutgoingHttpHeaders = { "grpc-status": "0" };

/** The trailers of a call that failed: its status, with google.rpc details, and the metadata of the error. */
export function trailersOf(error: ConnectError): OutgoingHttpHeaders {
  const trailers = Object.fromEntries(setTrailerStatus(new Headers(), error));
  return { ...trailers, [GRPC_MESSAGE]: encodeStatusMessage(error.rawMessage) };
}
