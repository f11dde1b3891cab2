/** What the load client is told, and what it tells. */

/** One call, over and over. */
export interface Load {
  readonly port: number;
  readonly protocol: "http1" | "http2";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** How long new calls are made, in seconds; those that are open then are finished. */
  readonly seconds: number;
  /** Connections, and calls at the same time on each of them: one on HTTP/1.1. */
  readonly connections: number;
  readonly callsEach: number;
}

/** What a load came to. */
export interface LoadResult {
  /** Calls that were answered. */
  readonly calls: number;
  /** Bytes of the answers' bodies; on HTTP/1.1 with their heads and the framing of chunks. */
  readonly bytes: number;
}

/** A client that keeps some calls open until it is told to stop. */
export interface LoadClient {
  /** Resolves when the last call is answered. Rejects as soon as one of them fails. */
  run(isOver: () => boolean, onAnswer: (bytes: number) => void): Promise<void>;
  close(): void;
}

/** Opens the client that a load asks for. */
export type OpenClient = (load: Load) => Promise<LoadClient>;
