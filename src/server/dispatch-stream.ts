import type { ServerHttp2Stream } from "node:http2";
import { CallLog } from "../telemetry/call-log.ts";
import type { DispatchOptions } from "./dispatch.ts";
import type { StreamHandler } from "./options.ts";
import { isWholeStream, recordExchange } from "./record-exchange.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "./request-id.ts";

/** Sends calls of gRPC to their door, and does for them what `createDispatch` does for all others: an id, the log, the record. */
export function createStreamDispatch(options: DispatchOptions): StreamHandler {
  const { grpc } = options.rpc;
  return (stream, headers) => {
    const rpc = grpc.find(headers);
    if (rpc === undefined) return undefined;
    const requestId = requestIdOf(headers[REQUEST_ID_HEADER]);
    const log = new CallLog(requestId, "grpc");
    grpc.handle(stream, headers, rpc, {
      log,
      head: [REQUEST_ID_HEADER, requestId],
      closed(hasBegun) {
        const { ":method": method = "", ":path": path = "" } = headers;
        const status = hasBegun ? 200 : refusedWith(stream);
        recordExchange(options, log, { method, path, headers, status, isWhole: isWholeStream(stream) });
      },
    });
    return requestId;
  };
}

/** The status of what was sent in the place of an answer; undefined where nothing was. */
const refusedWith = ({ headersSent, sentHeaders }: ServerHttp2Stream): number | undefined =>
  headersSent ? Number(sentHeaders?.[":status"]) : undefined;
