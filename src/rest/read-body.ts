import { clientGone } from "../errors/client-gone.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { announcedLength } from "../lib/unread-body.ts";
import type { RestRequest } from "./exchange.ts";

/**
 * Reads the whole body of a request. Throws a GatewayError: REQUEST_TOO_LARGE as soon as it is announced, or found, to
 * be longer than `maxBytes`, with the rest of it left unread; CANCELLED when the client goes away.
 */
export function readBody(request: RestRequest, maxBytes: number): Promise<Uint8Array> {
  if (announcedLength(request) > maxBytes) return Promise.reject(tooLarge(maxBytes));
  if (request.aborted) return Promise.reject(clientGone());
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const settle = (): void => {
      request.off("data", take);
      request.off("end", finish);
      request.off("close", fail);
      request.off("error", fail);
    };
    const take = (chunk: Uint8Array): void => {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= maxBytes) return;
      request.pause();
      settle();
      reject(tooLarge(maxBytes));
    };
    const fail = (): void => {
      settle();
      reject(clientGone());
    };
    const finish = (): void => {
      settle();
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size));
    };
    request.on("data", take);
    request.on("end", finish);
    request.on("close", fail);
    request.on("error", fail);
  });
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError(Reason.REQUEST_TOO_LARGE, `the body is longer than ${maxBytes} bytes`);
}
