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
