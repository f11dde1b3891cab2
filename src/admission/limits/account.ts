import { Bucket } from "./bucket.ts";
import type { Standing } from "./limiter.ts";
import type { Quota } from "./quota.ts";

/** How it stands with a caller, in this process. A class, because calls keep hold of it until they are settled. */
export class Account {
  requests: Bucket | undefined;
  tokens: Bucket | undefined;
  /** Calls that run, streams included. */
  calls = 0;
  /** Streams that run. */
  streams = 0;

  /** Brings it up to date: refilled until now, and with the limits as they are now. */
  update(quota: Quota, nowMs: number): void {
    this.requests = updated(this.requests, quota.requestsPerMinute, nowMs);
    this.tokens = updated(this.tokens, quota.tokensPerMinute, nowMs);
  }

  /** Whether nothing would be lost if it were made anew. */
  isIdle(nowMs: number): boolean {
    if (this.calls > 0) return false;
    this.requests?.refill(nowMs);
    this.tokens?.refill(nowMs);
    return this.requests?.isFull !== false && this.tokens?.isFull !== false;
  }

  get standing(): Standing {
    return { requests: this.requests?.allowance, tokens: this.tokens?.allowance };
  }
}

function updated(bucket: Bucket | undefined, limit: number | undefined, nowMs: number): Bucket | undefined {
  if (limit === undefined) return undefined;
  if (bucket === undefined) return new Bucket(limit, nowMs);
  bucket.refill(nowMs);
  bucket.resize(limit);
  return bucket;
}
