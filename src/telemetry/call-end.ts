import type { IncomingHttpHeaders } from "node:http";

/** The end of a call's exchange, as signals tell it. */
export interface CallEnd {
  /** Headers of the request: the trace that the call belongs to is read from them. */
  readonly headers: IncomingHttpHeaders;
  /** HTTP status; 499 where the client was gone before there was one. */
  readonly status: number;
  readonly durationMs: number;
}
