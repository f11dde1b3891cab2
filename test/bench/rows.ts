import type { Door } from "./calls.ts";
import type { ShapeName } from "./requests.ts";
import type { ServerName } from "./stage.ts";

/** Calls of one shape through one door of one server. */
export interface Trial {
  readonly server: ServerName;
  readonly door: Door;
  readonly shape: ShapeName;
}

/** A line of the table that tells the CPU time of a call, or of one of its chunks: here, and in the server that it is compared with. */
export interface Row {
  /** What `--case` names: "rest.unary". */
  readonly name: string;
  readonly title: string;
  readonly ours: Trial;
  readonly theirs: Trial;
  readonly comparedWith: string;
  /** The ratio is to be so much at most; undefined: nobody has said. */
  readonly aim?: number;
  /** Whether it is measured at the peer, too. */
  readonly hasPeer?: boolean;
  /** Whether the small form has it. */
  readonly isSmall: boolean;
}

const BARE = "bare proxy";

/** Every line, in the order of the table. */
export const ROWS: readonly Row[] = [
  proxied("rest.unary", "REST, unary, 10 messages in 2 kB", "unary", 1.6),
  proxied("sse.burst", "SSE, 16 streams without a pause, each chunk", "burst", 1.8),
  proxied("sse.paced", "SSE, 100 streams, a chunk every 20 ms, each", "paced", 1.3),
  sandbox("grpc.unary", "gRPC, unary", "grpc", "large", true),
  sandbox("grpc.stream", "gRPC, stream, each message", "grpc", "words", true),
  sandbox("grpc.client-unary", "gRPC, unary, by grpc-js's client", "grpc-js", "large", false),
  sandbox("grpc.client-stream", "gRPC, stream, by grpc-js's client, each message", "grpc-js", "words", false),
  grpcProxied("grpc.proxied-unary", "gRPC, unary, of the upstream", "unary"),
  grpcProxied("grpc.proxied-stream", "gRPC, stream of the upstream, each message", "burst"),
  family("families.anthropic", "Anthropic behind REST, each chunk", "anthropic"),
  family("families.google", "Google behind REST, each chunk", "google"),
  door("doors.connect-json-unary", "Connect JSON, unary", "connect-json", "large"),
  door("doors.connect-json-stream", "Connect JSON, stream, each message", "connect-json", "words"),
  door("doors.connect-proto-unary", "Connect binary, unary", "connect-proto", "large"),
  door("doors.connect-proto-stream", "Connect binary, stream, each message", "connect-proto", "words"),
  door("doors.grpc-web-unary", "gRPC-Web, unary", "grpc-web", "large"),
  door("doors.grpc-web-stream", "gRPC-Web, stream, each message", "grpc-web", "words"),
];

/** The OpenAI-compatible upstream behind REST, beside the bare proxy. */
function proxied(name: string, title: string, shape: ShapeName, aim: number): Row {
  const at = (server: ServerName): Trial => ({ server, door: "rest", shape });
  return {
    name,
    title,
    ours: at("gateway"),
    theirs: at("bare"),
    comparedWith: BARE,
    aim,
    hasPeer: true,
    isSmall: true,
  };
}

/** gRPC in front of the sandbox, beside a server of grpc-js that answers the same. */
function sandbox(name: string, title: string, door: Door, shape: ShapeName, isSmall: boolean): Row {
  const at = (server: ServerName): Trial => ({ server, door, shape });
  return { name, title, ours: at("gateway"), theirs: at("grpc-js"), comparedWith: "grpc-js", aim: 1.5, isSmall };
}

/** gRPC in front of the upstream, beside a server of grpc-js that translates and does nothing else. */
function grpcProxied(name: string, title: string, shape: ShapeName): Row {
  const at = (server: ServerName): Trial => ({ server, door: "grpc", shape });
  return {
    name,
    title,
    ours: at("gateway"),
    theirs: at("grpc-js-proxy"),
    comparedWith: "grpc-js proxy",
    isSmall: false,
  };
}

/** A family's upstream, beside the OpenAI-compatible one through the same gateway. */
function family(name: string, title: string, shape: ShapeName): Row {
  const of = (which: ShapeName): Trial => ({ server: "gateway", door: "rest", shape: which });
  return { name, title, ours: of(shape), theirs: of("burst"), comparedWith: "OpenAI's", aim: 1.5, isSmall: true };
}

/** The other doors in front of the sandbox, beside gRPC on grpc-js. */
function door(name: string, title: string, of: Door, shape: ShapeName): Row {
  const theirs: Trial = { server: "grpc-js", door: "grpc", shape };
  return { name, title, ours: { server: "gateway", door: of, shape }, theirs, comparedWith: "grpc-js", isSmall: false };
}
