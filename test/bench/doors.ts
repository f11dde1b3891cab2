import type { Load } from "./load.ts";
import { encodeOpenAI, encodeRpc, envelop, isStreamed, type Shape } from "./requests.ts";

/** How a server is called. */
export type Door = "rest" | "connect-json" | "connect-proto" | "grpc" | "grpc-web";

/** Calls at the same time, on every door. */
const CONCURRENCY = 16;

const SERVICE = "/parley.chat.v1.ChatService";

/** The load of calls of one shape through a door of the server at that port. */
export function createLoad(door: Door, shape: Shape, port: number, seconds: number): Load {
  const connections = door === "grpc" ? CONCURRENCY / 4 : CONCURRENCY;
  const callsEach = CONCURRENCY / connections;
  const rpc = `${SERVICE}/${isStreamed(shape) ? "StreamChatCompletion" : "CreateChatCompletion"}`;
  const base = { port, seconds, connections, callsEach, protocol: "http1" as const, path: rpc };
  switch (door) {
    case "rest":
      return {
        ...base,
        path: "/v1/chat/completions",
        headers: { "content-type": "application/json" },
        body: encodeOpenAI(shape),
      };
    case "connect-json":
    case "connect-proto":
      return { ...base, ...connectRequest(shape, door === "connect-json" ? "json" : "proto") };
    case "grpc":
      return {
        ...base,
        protocol: "http2",
        headers: { "content-type": "application/grpc+proto", te: "trailers" },
        body: envelop(encodeRpc(shape, "proto")),
      };
    case "grpc-web":
      return {
        ...base,
        headers: { "content-type": "application/grpc-web+proto" },
        body: envelop(encodeRpc(shape, "proto")),
      };
  }
}

/** Connect puts streamed messages in envelopes, and unary ones bare into the body (https://connectrpc.com/docs/protocol). */
function connectRequest(shape: Shape, codec: "json" | "proto"): Pick<Load, "headers" | "body"> {
  const message = encodeRpc(shape, codec);
  const version = { "connect-protocol-version": "1" };
  return isStreamed(shape)
    ? { headers: { ...version, "content-type": `application/connect+${codec}` }, body: envelop(message) }
    : { headers: { ...version, "content-type": `application/${codec}` }, body: message };
}
