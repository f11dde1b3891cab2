import { create } from "@bufbuild/protobuf";
import { estimateTokens } from "../admission/limits/estimate.ts";
import type { Grant, Limiter, Use } from "../admission/limits/limiter.ts";
import { type Quota, quotaOf } from "../admission/limits/quota.ts";
import { refuse } from "../admission/limits/refuse.ts";
import { ServiceTier, UsageSchema } from "../gen/parley/chat/v1/completion_pb.ts";
import type { KeyLimits } from "../gen/parley/keys/v1/limits_pb.ts";
import type { Target } from "../routing/target.ts";
import type { CallLog } from "../telemetry/call-log.ts";
import type { CallContext } from "./operation.ts";
import type { PreparedCall } from "./prepare.ts";
import { completeUsage } from "./usage.ts";

/** Holds one call to its caller's limits: what it may take was reserved, and what it took is settled. */
export interface Meter {
  /** The client was given about so many tokens of this target's answer. They count where the provider tells no usage. */
  gave(target: Target, tokens: number): void;
  /** And about so many more. */
  gaveMore(tokens: number): void;
  /** The call is over, however it ended: settles what it took, by its log, or else by what was given. */
  [Symbol.dispose](): void;
}

/** Of a caller without limits. */
const UNLIMITED: Meter = { gave: () => undefined, gaveMore: () => undefined, [Symbol.dispose]: () => undefined };

/**
 * Reserves what a call may take. Fails with RATE_LIMIT_EXCEEDED or INSUFFICIENT_QUOTA, and has taken nothing then. The door is told how
 * it stands with the limits, either way.
 */
export async function openMeter(
  limiter: Limiter,
  { caller, log, tellStanding }: CallContext,
  { demand, streaming }: PreparedCall,
): Promise<Meter> {
  if (caller.limits === undefined) return UNLIMITED;
  const quota = knownQuotaOf(caller.limits);
  const verdict = limiter.reserve(caller.id, quota, {
    tokens: estimateTokens(demand, quota.tokensPerMinute),
    stream: streaming,
  });
  const decided = verdict instanceof Promise ? await verdict : verdict;
  tellStanding?.(decided.standing);
  if (!decided.granted) throw refuse(decided, caller.id, quota);
  return new GrantedMeter(decided, log, demand.promptTokens);
}

const quotas = new WeakMap<KeyLimits, Quota>();

/** A caller's limits stay the same object: what is made of them is made once. */
function knownQuotaOf(limits: KeyLimits): Quota {
  let quota = quotas.get(limits);
  if (quota === undefined) {
    quota = quotaOf(limits);
    quotas.set(limits, quota);
  }
  return quota;
}

/** Tells the door how it stands with the caller's limits, of a call that takes nothing of them, or that is refused before it does. */
export async function tellStanding(limiter: Limiter, { caller, tellStanding: tell }: CallContext): Promise<void> {
  if (caller.limits === undefined || tell === undefined) return;
  tell(await limiter.standing(caller.id, knownQuotaOf(caller.limits)));
}

/** Prepares a call. One that is refused is told how it stands, too; the others are when what they may take is reserved. */
export async function prepareTold(
  limiter: Limiter,
  call: CallContext,
  prepare: () => PreparedCall | Promise<PreparedCall>,
): Promise<PreparedCall> {
  try {
    return await prepare();
  } catch (thrown) {
    await tellStanding(limiter, call);
    throw thrown;
  }
}

class GrantedMeter implements Meter {
  readonly #grant: Grant;
  readonly #log: CallLog;
  readonly #promptTokens: number;
  #target: Target | undefined;
  #tokens = 0;

  constructor(grant: Grant, log: CallLog, promptTokens: number) {
    this.#grant = grant;
    this.#log = log;
    this.#promptTokens = promptTokens;
  }

  gave(target: Target, tokens: number): void {
    this.#target = target;
    this.#tokens += tokens;
  }

  gaveMore(tokens: number): void {
    this.#tokens += tokens;
  }

  [Symbol.dispose](): void {
    const { usage, costNanoDollars } = this.#log;
    if (usage === undefined) this.#grant.settle(this.#estimate());
    else this.#grant.settle({ tokens: usage.promptTokens + usage.completionTokens, nanoDollars: costNanoDollars ?? 0 });
  }

  /** A call that gave nothing took nothing: a provider that fails asks no price. */
  #estimate(): Use {
    if (this.#target === undefined) return { tokens: 0, nanoDollars: 0 };
    const { backend, model } = this.#target;
    const usage = completeUsage(
      create(UsageSchema, { promptTokens: this.#promptTokens, completionTokens: this.#tokens }),
    );
    const cost = backend.cost?.({ model, answeredBy: undefined, usage, serviceTier: ServiceTier.UNSPECIFIED });
    return { tokens: usage.totalTokens, nanoDollars: Number(cost ?? 0n) };
  }
}
