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
    stream.on("close", () => {
      const { ":method": method = "", ":path": path = "" } = headers;
      const status = stream.headersSent ? Number(stream.sentHeaders?.[":status"]) : undefined;
      recordExchange(options, log, { method, path, headers, status, isWhole: isWholeStream(stream) });
    });
    grpc.handle(stream, headers, rpc, { log, head: { [REQUEST_ID_HEADER]: requestId } });
    return requestId;
  };
}
