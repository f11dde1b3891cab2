import type { OutgoingHttpHeaders } from "node:http";
import type { HttpResponse } from "../lib/http-exchange.ts";

/** The trailer of a status message. */
export const GRPC_MESSAGE = "grpc-message";

/**
 * Makes a gRPC response send its status message as the protocol has it: only "%" and what is not a space or visible ASCII is
 * encoded (gRPC over HTTP/2, "Status-Message"). Connect encodes far more, and clients such as grpc-js and those in Dart show
 * that to people: "the model 'provider%2Fmodel'".
 */
export function sendPlainStatusMessage(response: HttpResponse): void {
  const addTrailers = response.addTrailers.bind(response);
  response.addTrailers = (trailers: OutgoingHttpHeaders) => {
    const message = trailers[GRPC_MESSAGE];
    if (typeof message !== "string") addTrailers(trailers);
    else addTrailers({ ...trailers, [GRPC_MESSAGE]: encodeStatusMessage(decodeURIComponent(message)) });
  };
}

/** Encodes a status message for the trailer `grpc-message`. HTTP/2 takes no space at either end of it (RFC 9113 §8.2.1). */
export function encodeStatusMessage(message: string): string {
  return message.replaceAll(/[^ -$&-~]+|^ | $/gu, encodeURIComponent);
}
