import { Budget_Period, type KeyLimits } from "../../gen/parley/keys/v1/limits_pb.ts";

/** The limits of a caller; undefined: there is none. */
export interface Quota {
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
  readonly concurrent: number | undefined;
  readonly concurrentStreams: number | undefined;
  readonly budget: { readonly nanoDollars: number; readonly per: "day" | "month" } | undefined;
}

/** Makes the quota of limits as a key has them. */
export function quotaOf(limits: KeyLimits): Quota {
  const { requestsPerMinute, tokensPerMinute, concurrent, concurrentStreams, budget } = limits;
  return {
    requestsPerMinute,
    tokensPerMinute: tokensPerMinute === undefined ? undefined : Number(tokensPerMinute),
    concurrent,
    concurrentStreams,
    budget:
      budget === undefined
        ? undefined
        : {
            nanoDollars: Math.round(budget.dollars * 1e9),
            per: budget.per === Budget_Period.DAY ? "day" : "month",
          },
  };
}

/** Whether there is no limit at all. */
export function isUnlimited(quota: Quota): boolean {
  return (
    quota.requestsPerMinute === undefined &&
    quota.tokensPerMinute === undefined &&
    quota.concurrent === undefined &&
    quota.concurrentStreams === undefined &&
    quota.budget === undefined
  );
}

/**
 * What one of so many processes may grant while they can't agree: an equal share, at least 1 of each. The budget is not shared out,
 * since the store tells what all of them have spent.
 */
export function shareOf(quota: Quota, processes: number): Quota {
  const share = (limit: number | undefined): number | undefined =>
    limit === undefined ? undefined : Math.max(1, Math.floor(limit / processes));
  return {
    requestsPerMinute: share(quota.requestsPerMinute),
    tokensPerMinute: share(quota.tokensPerMinute),
    concurrent: share(quota.concurrent),
    concurrentStreams: share(quota.concurrentStreams),
    budget: quota.budget,
  };
}
