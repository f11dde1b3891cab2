/** What the load client is told, and what it tells. */

/** One call, and what its answer has to have in it. */
export interface Call {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** What stands in the answer so many times: in each chunk of a stream, or once in a whole answer. */
  readonly mark: string;
  readonly marks: number;
}

/** A call over and over, on each of some connections. */
export interface ClosedLoad {
  readonly kind: "closed";
  readonly call: Call;
  readonly protocol: "http1" | "http2" | "grpc-js";
  /** Connections, and calls at the same time on each of them: one on HTTP/1.1. */
  readonly connections: number;
  readonly callsEach: number;
  /** When no new calls are made any more: after so many seconds, or so many calls. Those that are open then are finished. */
  readonly until: { readonly seconds: number } | { readonly calls: number };
}

/** What a closed load came to. */
export interface ClosedResult {
  readonly calls: number;
  /** How long it took, in seconds. */
  readonly seconds: number;
}

/** Calls to one server after the other, on one connection to each of them. */
export interface TurnsLoad {
  readonly kind: "turns";
  readonly calls: readonly Call[];
  readonly turns: number;
}

/** Times of the calls to each server, in µs, in the order of the turns. */
export interface TurnsResult {
  /** Until the first mark. */
  readonly first: readonly (readonly number[])[];
  /** Until the end of the answer. */
  readonly whole: readonly (readonly number[])[];
}

/** Streams with stamped marks that are open at the same time, each on a connection of its own. */
export interface OpenLoad {
  readonly kind: "open";
  readonly call: Call;
  readonly streams: number;
  /** How long it takes to open them, in ms. */
  readonly rampMs: number;
  /** Whether they stay open when all of them have their first chunk, until a `CloseLoad`. */
  readonly stays: boolean;
}

/** How long chunks took from the upstream to the client while all streams were open, in µs; NaN where there were none. */
export interface OpenResult {
  readonly p50: number;
  readonly p99: number;
}

/** The end of the streams that stay open. */
export interface CloseLoad {
  readonly kind: "close";
}

/** What the load client does. */
export type Load = ClosedLoad | TurnsLoad | OpenLoad | CloseLoad;

/** A client that keeps some calls open until it is told to stop. */
export interface LoadClient {
  /** Resolves when the last call is answered. Rejects as soon as one of them fails. */
  run(isOver: () => boolean, onAnswer: () => void): Promise<void>;
  close(): void;
}
