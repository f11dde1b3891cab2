import { completionId } from "../lib/ids.ts";

/** What is the same on all chunks of a stream. */
export interface Identity {
  /** "chatcmpl-…". */
  readonly id: string;
  /** Unix seconds. */
  readonly created: bigint;
  /** The model as the answer names it. */
  readonly model: string;
}

/** A new identity, made now. */
export function createIdentity(model: string): Identity {
  return { id: completionId(), created: BigInt(Math.floor(Date.now() / 1000)), model };
}
