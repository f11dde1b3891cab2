import { once } from "node:events";
import http2 from "node:http2";
import type { Load, LoadClient } from "./load.ts";

/** Opens an HTTP/2 client without TLS, with several calls at a time on each connection. */
export async function openHttp2(load: Load): Promise<LoadClient> {
  const sessions = Array.from({ length: load.connections }, () => http2.connect(`http://127.0.0.1:${load.port}`));
  await Promise.all(sessions.map((session) => once(session, "connect")));
  const headers = { ":method": "POST", ":path": load.path, ...load.headers };
  const lines = sessions.flatMap((session) => Array.from({ length: load.callsEach }, () => session));
  return {
    run: async (isOver, onAnswer) => {
      await Promise.all(
        lines.map(async (session) => {
          do onAnswer(await call(session, headers, load.body));
          while (!isOver());
        }),
      );
    },
    close: () => {
      for (const session of sessions) session.destroy();
    },
  };
}

/** Makes one call. Resolves with the size of the answer; rejects when it is not OK. */
function call(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body: Uint8Array,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    let end: http2.IncomingHttpHeaders = {};
    const stream = session.request(headers);
    stream.on("data", (data: Buffer) => {
      bytes += data.length;
    });
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
      if (status === "0") resolve(bytes);
      else reject(new Error(`the server answered with the gRPC status ${String(status)}: ${String(message)}`));
    });
    stream.end(body);
  });
}
