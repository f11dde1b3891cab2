/** Calls of each shape through each door, and the loads that are made of them. */
import type { Call, ClosedLoad } from "./load/load.ts";
import { encodeOpenAI, encodeRpc, envelop, isStreamed, SHAPES, type ShapeName } from "./requests.ts";
import { SECRET } from "./servers/gateway-config.ts";

/** How a server is called; "grpc-js" is gRPC by the client of that name. */
export type Door = "rest" | "connect-json" | "connect-proto" | "grpc" | "grpc-js" | "grpc-web";

/** Calls at the same time, on every door. */
export const CONCURRENCY = 16;
/** Connections of gRPC, which share them out among the calls. */
const GRPC_CONNECTIONS = 4;

const SERVICE = "/parley.chat.v1.ChatService";
const KEY = { authorization: `Bearer ${SECRET}` };

/** One call of that shape through a door of the server at that port. */
export function callOf(door: Door, shape: ShapeName, port: number): Call {
  const { mark, marks } = SHAPES[shape];
  return { port, mark, marks, ...requestOf(door, shape) };
}

/** A load of such calls. */
export function closedLoad(door: Door, call: Call, until: ClosedLoad["until"], connections = CONCURRENCY): ClosedLoad {
  const isShared = door === "grpc" || door === "grpc-js";
  return {
    kind: "closed",
    call,
    protocol: door === "grpc" ? "http2" : door === "grpc-js" ? "grpc-js" : "http1",
    connections: isShared ? GRPC_CONNECTIONS : connections,
    callsEach: isShared ? CONCURRENCY / GRPC_CONNECTIONS : 1,
    until,
  };
}

function requestOf(door: Door, shape: ShapeName): Pick<Call, "path" | "headers" | "body"> {
  const path = `${SERVICE}/${isStreamed(shape) ? "StreamChatCompletion" : "CreateChatCompletion"}`;
  switch (door) {
    case "rest":
      return {
        path: "/v1/chat/completions",
        headers: { ...KEY, "content-type": "application/json" },
        body: encodeOpenAI(shape),
      };
    case "connect-json":
    case "connect-proto":
      return { path, ...connectRequest(shape, door === "connect-json" ? "json" : "proto") };
    case "grpc":
      return {
        path,
        headers: { ...KEY, "content-type": "application/grpc+proto", te: "trailers" },
        body: envelop(encodeRpc(shape, "proto")),
      };
    case "grpc-js":
      return { path, headers: KEY, body: encodeRpc(shape, "proto") };
    case "grpc-web":
      return {
        path,
        headers: { ...KEY, "content-type": "application/grpc-web+proto" },
        body: envelop(encodeRpc(shape, "proto")),
      };
  }
}

/** Connect puts streamed messages in envelopes, and unary ones bare into the body (https://connectrpc.com/docs/protocol). */
function connectRequest(shape: ShapeName, codec: "json" | "proto"): Pick<Call, "headers" | "body"> {
  const message = encodeRpc(shape, codec);
  const headers = { ...KEY, "connect-protocol-version": "1" };
  return isStreamed(shape)
    ? { headers: { ...headers, "content-type": `application/connect+${codec}` }, body: envelop(message) }
    : { headers: { ...headers, "content-type": `application/${codec}` }, body: message };
}
