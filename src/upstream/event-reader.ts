import type { StreamEvent } from "../providers/provider.ts";

/** Reads the body of an answer that comes piece by piece: bytes in, events out. */
export interface EventReader {
  /**
   * Takes a piece of the body, cut anywhere, and returns the events that it completes; none is a sign of life. Throws
   * UPSTREAM_INVALID_RESPONSE when more bytes came without an event than may.
   */
  push(piece: Uint8Array): readonly StreamEvent[];
  /** Takes the end of the body, and returns the last event where nothing closed it; it may be cut. */
  finish(): readonly StreamEvent[];
}
