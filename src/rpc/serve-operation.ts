import type { Message } from "@bufbuild/protobuf";
import type { ConnectError, ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { toConnectError } from "../errors/connect-error.ts";
import { failureReport } from "../gateway/report.ts";
import { CallReportSchema } from "../gen/parley/chat/v1/report_pb.ts";
import { feedOf } from "../lib/feed.ts";
import { stopQuietly } from "../lib/stop-quietly.ts";
import type { CallLog } from "../telemetry/call-log.ts";
import { openCallContext } from "./call-context.ts";
import { isStream, type ServedMethod, type ServedStream, type ServedUnary } from "./served-method.ts";

/** Serves an rpc by Connect. */
export function addMethod(router: ConnectRouter, served: ServedMethod): void {
  if (isStream(served)) router.rpc(served.method, streaming(served));
  else router.rpc(served.method, unary(served));
}

function unary({ operation }: ServedUnary) {
  return async (request: Message, context: HandlerContext): Promise<Message> => {
    const { call, close } = openCallContext(context);
    try {
      return await operation(request, call);
    } catch (thrown) {
      throw failure(thrown, call.log);
    } finally {
      close();
    }
  };
}

function streaming({ operation, edit }: ServedStream) {
  return async function* (request: Message, context: HandlerContext): AsyncGenerator<Message> {
    const { call, close } = openCallContext(context);
    const change = edit(request);
    const feed = feedOf(operation(request, call));
    try {
      for (;;) {
        await feed.ready();
        const batch = feed.take();
        if (batch === undefined) return;
        for (const message of batch) yield change === undefined ? message : change(message);
      }
    } catch (thrown) {
      throw failure(thrown, call.log);
    } finally {
      await stopQuietly(feed);
      close();
    }
  };
}

/** What an rpc fails with; it carries the report of the call, where anybody was asked. */
export function failure(thrown: unknown, log: CallLog): ConnectError {
  const error = toConnectError(thrown);
  const report = failureReport(log);
  if (report !== undefined) error.details.push({ desc: CallReportSchema, value: report });
  return error;
}
