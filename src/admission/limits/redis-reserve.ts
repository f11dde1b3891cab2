import { hash } from "node:crypto";
import type { Allowance, Ask, Refusal, Standing } from "./limiter.ts";
import { untilEnd } from "./memory-limiter.ts";
import { type Period, periodsAt } from "./period.ts";
import type { Quota } from "./quota.ts";
import type { CallerKeys } from "./redis-scripts.ts";

/** The limits, by the numbers from 1 on that the script tells them by. */
const LIMITS: readonly Refusal["limit"][] = ["concurrent", "concurrent_streams", "requests", "tokens", "budget"];

/** 132 bits. */
const HASH_LENGTH = 22;

/**
 * The keys of a caller, with that of the budget's present period. Its id is hashed: a subject of a token may hold any characters, also
 * those of a hash tag.
 */
export function keysOf(caller: string, quota: Quota): CallerKeys {
  const of = `parley:{${hash("sha256", caller, "base64url").slice(0, HASH_LENGTH)}}`;
  const period = periodOf(quota);
  return {
    buckets: `${of}:buckets`,
    calls: `${of}:calls`,
    streams: `${of}:streams`,
    spend: period === undefined ? `${of}:spend` : `${of}:spend:${period.id}`,
  };
}

/** The present period of the budget; undefined: there is no budget. */
export const periodOf = ({ budget }: Quota): Period | undefined =>
  budget === undefined ? undefined : periodsAt(Date.now())[budget.per];

/** The arguments of the script for a call; `spent` is undefined as long as the store was not asked. */
export function encodeReserve(
  quota: Quota,
  ask: Ask,
  ticket: string,
  leaseMs: number,
  spent: number | undefined,
): readonly string[] {
  const { budget } = quota;
  const period = periodOf(quota);
  return [
    String(quota.requestsPerMinute ?? 0),
    String(quota.tokensPerMinute ?? 0),
    String(quota.concurrent ?? 0),
    String(quota.concurrentStreams ?? 0),
    budget === undefined ? "" : budget.nanoDollars.toFixed(0),
    period === undefined ? "0" : String(untilEnd(period, Date.now())),
    spent === undefined ? "" : spent.toFixed(0),
    String(ask.tokens),
    ask.stream ? "1" : "0",
    ticket,
    String(leaseMs),
  ];
}

/** The arguments of the script that looks how it stands with a caller. */
export const encodeLook = ({ requestsPerMinute, tokensPerMinute }: Quota): readonly string[] => [
  String(requestsPerMinute ?? 0),
  String(tokensPerMinute ?? 0),
];

/** What the script answered: undefined where the call may be made. */
export function decodeRefusal(reply: readonly number[], quota: Quota): Refusal | undefined {
  const [code = 0, retryAfterMs = 0] = reply;
  const limit = LIMITS[code - 1];
  return limit === undefined
    ? undefined
    : { granted: false, standing: decodeStanding(reply, quota), limit, retryAfterMs };
}

/** How it stands with the caller, by what the script answered. */
export function decodeStanding(reply: readonly number[], { requestsPerMinute, tokensPerMinute }: Quota): Standing {
  const [, , requests = 0, requestsMs = 0, tokens = 0, tokensMs = 0] = reply;
  return {
    requests: allowanceOf(requestsPerMinute, requests, requestsMs),
    tokens: allowanceOf(tokensPerMinute, tokens, tokensMs),
  };
}

const allowanceOf = (limit: number | undefined, remaining: number, resetMs: number): Allowance | undefined =>
  limit === undefined ? undefined : { limit, remaining, resetMs };
