import { once } from "node:events";
import http2 from "node:http2";
import { checkMarks } from "./http1.ts";
import type { Call, ClosedLoad, LoadClient } from "./load.ts";
import { MarkReader } from "./mark.ts";

/** Opens an HTTP/2 client without TLS, with several calls of gRPC at a time on each connection. */
export async function openHttp2({ call, connections, callsEach }: ClosedLoad): Promise<LoadClient> {
  const sessions = Array.from({ length: connections }, () => http2.connect(`http://127.0.0.1:${call.port}`));
  await Promise.all(sessions.map((session) => once(session, "connect")));
  const headers = { ":method": "POST", ":path": call.path, ...call.headers };
  const lines = sessions.flatMap((session) => Array.from({ length: callsEach }, () => session));
  return {
    run: async (isOver, onAnswer) => {
      await Promise.all(
        lines.map(async (session) => {
          do {
            await callOnce(session, headers, call);
            onAnswer();
          } while (!isOver());
        }),
      );
    },
    close: () => {
      for (const session of sessions) session.destroy();
    },
  };
}

/** Makes one call. Rejects when the answer is not OK. */
async function callOnce(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  { body, mark, marks }: Call,
): Promise<void> {
  const reader = new MarkReader(mark);
  await new Promise<void>((resolve, reject) => {
    let end: http2.IncomingHttpHeaders = {};
    const stream = session.request(headers);
    stream.on("data", (data: Buffer) => reader.push(data));
    // gRPC tells how a call ended after the answer, or in its head when there is none.
    stream.on("response", (head) => {
      end = head;
    });
    stream.on("trailers", (trailers) => {
      end = trailers;
    });
    stream.on("error", reject);
    stream.on("close", () => {
      const { "grpc-status": status, "grpc-message": message } = end;
      if (status !== "0")
        reject(new Error(`the server answered the gRPC status ${String(status)}: ${String(message)}`));
      else resolve();
    });
    stream.end(body);
  });
  checkMarks(reader.count, marks);
}
