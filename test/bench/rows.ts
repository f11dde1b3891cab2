import type { Door } from "./doors.ts";
import type { Shape } from "./requests.ts";
import { FAMILIES, type Family, type StreamShape } from "./upstream-streams.ts";

/** Which server is called. "providers" is the gateway in front of an upstream, and "pipe" a proxy there that reads nothing. */
export type Target = "gateway" | "bare" | "grpc-js" | "providers" | "pipe";

/** One thing that is measured. */
export type Measurement = DoorMeasurement | ProviderMeasurement;

/** Calls of one shape, through one door of one server. */
export interface DoorMeasurement {
  readonly kind: "door";
  readonly target: "gateway" | "bare" | "grpc-js";
  readonly door: Door;
  readonly shape: Shape;
}

/** Streams of one shape, of an upstream that is a family's. */
export interface ProviderMeasurement extends StreamShape {
  readonly kind: "provider";
  readonly target: "providers" | "pipe";
  readonly family: Family;
}

/** A line of the table: what something costs, here and in the server that it is compared with. */
export interface Row {
  /** What `--case` names: "rest.small". */
  readonly name: string;
  readonly title: string;
  readonly unit: "call" | "chunk";
  readonly ours: Cost;
  readonly theirs: Cost;
}

/** A cost: that of a call; or of one of its chunks, by what a longer stream takes more than a stream of one word. */
export interface Cost {
  readonly of: Measurement;
  readonly less?: { readonly than: Measurement; readonly chunks: number };
}

const TITLES: Readonly<Record<Door, string>> = {
  rest: "REST",
  "connect-json": "Connect JSON",
  "connect-proto": "Connect binary",
  grpc: "gRPC",
  "grpc-web": "gRPC-Web",
};

const PROVIDERS: Readonly<Record<Family, string>> = {
  openai: "OpenAI behind REST",
  anthropic: "Anthropic behind REST",
  google: "Google behind REST",
};

interface What {
  readonly shape: Shape;
  readonly title: string;
  /** Of a streamed shape, how many chunks more it has than a stream of one word. */
  readonly chunks?: number;
}

const UNARY: readonly What[] = [
  { shape: "small", title: "unary, 1 message" },
  { shape: "large", title: "unary, 10 messages of 2 kB" },
];
const STREAM: readonly What[] = [
  { shape: "opening", title: "stream of one word" },
  { shape: "stream", title: "stream of 200, each", chunks: 199 },
];
const PACED: What = { shape: "paced", title: "stream every 5 ms, each", chunks: 39 };

/** Every line, in the order of the table. */
export const ROWS: readonly Row[] = [
  ...rowsOf("rest", [...UNARY, ...STREAM, PACED]),
  ...rowsOf("connect-json", [...UNARY, ...STREAM]),
  ...rowsOf("connect-proto", [...UNARY, ...STREAM]),
  ...rowsOf("grpc", [...UNARY, ...STREAM]),
  ...rowsOf("grpc-web", [...UNARY, ...STREAM]),
  ...FAMILIES.flatMap((family) => [providerRow(family, 1), providerRow(family, 10)]),
];

/** gRPC in its two forms is compared with a gRPC server, the others with a bare HTTP server. */
function rowsOf(door: Door, whats: readonly What[]): Row[] {
  const isGrpc = door === "grpc" || door === "grpc-web";
  return whats.map(({ shape, title, chunks }) => ({
    name: `${door}.${shape}`,
    title: `${TITLES[door]}, ${title}`,
    unit: chunks === undefined ? "call" : "chunk",
    ours: costOf("gateway", door, shape, chunks),
    theirs: isGrpc ? costOf("grpc-js", "grpc", shape, chunks) : costOf("bare", "rest", shape, chunks),
  }));
}

function costOf(target: DoorMeasurement["target"], door: Door, shape: Shape, chunks: number | undefined): Cost {
  const of = { kind: "door", target, door, shape } as const;
  return chunks === undefined ? { of } : { of, less: { than: { ...of, shape: "opening" }, chunks } };
}

/** A stream of 200 words through a provider and the REST door, that many events a packet. */
function providerRow(family: Family, packed: number): Row {
  const costAt = (target: ProviderMeasurement["target"]): Cost => {
    const of = { kind: "provider", target, family, words: 200, packed } as const;
    return { of, less: { than: { ...of, words: 1 }, chunks: 199 } };
  };
  return {
    name: `providers.${family}.${packed === 1 ? "single" : "packed"}`,
    title: `${PROVIDERS[family]}, ${packed === 1 ? "an event a packet" : `${packed} events a packet`}, each`,
    unit: "chunk",
    ours: costAt("providers"),
    theirs: costAt("pipe"),
  };
}
