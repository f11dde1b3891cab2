import type { ConnectError, HandlerContext } from "@connectrpc/connect";
import { toConnectError } from "../errors/connect-error.ts";
import type { CallContext } from "../gateway/operation.ts";
import { failureReport } from "../gateway/report.ts";
import { CallReportSchema } from "../gen/parley/chat/v1/report_pb.ts";
import { openCallContext } from "./call-context.ts";

/** Serves a unary operation as an rpc. */
export function unary<I, O>(operation: (request: I, call: CallContext) => Promise<O>) {
  return async (request: I, context: HandlerContext): Promise<O> => {
    const { call, close } = openCallContext(context);
    try {
      return await operation(request, call);
    } catch (thrown) {
      throw failure(thrown, call);
    } finally {
      close();
    }
  };
}

/** What an rpc fails with; it carries the report of the call, where anybody was asked. */
function failure(thrown: unknown, { log }: CallContext): ConnectError {
  const error = toConnectError(thrown);
  const report = failureReport(log);
  if (report !== undefined) error.details.push({ desc: CallReportSchema, value: report });
  return error;
}

/** Serves a streaming operation as an rpc. `edit`, made once for a request, may change its messages on their way out. */
export function streaming<I, O>(
  operation: (request: I, call: CallContext) => AsyncIterable<readonly O[]>,
  edit: (request: I) => ((message: O) => O) | undefined = () => undefined,
) {
  return async function* (request: I, context: HandlerContext): AsyncGenerator<O> {
    const { call, close } = openCallContext(context);
    const change = edit(request);
    try {
      for await (const batch of operation(request, call)) {
        for (const message of batch) yield change === undefined ? message : change(message);
      }
    } catch (thrown) {
      throw failure(thrown, call);
    } finally {
      close();
    }
  };
}
