import type { DescMessage } from "@bufbuild/protobuf";
import type { ChatRequest } from "../admission/admit.ts";
import { estimateTokens } from "../admission/limits/estimate.ts";
import type { Grant, Limiter, Refusal, Use } from "../admission/limits/limiter.ts";
import { type Quota, quotaOf } from "../admission/limits/quota.ts";
import { refuse } from "../admission/limits/refuse.ts";
import { blankUsage } from "../gen/parley/chat/v1/blanks.ts";
import { ServiceTier } from "../gen/parley/chat/v1/completion_pb.ts";
import type { KeyLimits } from "../gen/parley/keys/v1/limits_pb.ts";
import type { Target } from "../routing/target.ts";
import type { CallLog } from "../telemetry/call-log.ts";
import type { CallContext } from "./operation.ts";
import { type PreparedCall, prepare } from "./prepare.ts";
import type { Serving } from "./serving.ts";
import { completeUsage } from "./usage.ts";

/** Holds one call to its caller's limits: what it may take was reserved, and what it took is settled. */
export interface Meter {
  /** The client was given about so many tokens of this target's answer. They count where the provider tells no usage. */
  gave(target: Target, tokens: number): void;
  /** And about so many more. */
  gaveMore(tokens: number): void;
  /** The call is over, however it ended: settles what it took, by its log, or else by what was given. */
  settle(): void;
}

/** Of a caller without limits. */
const UNLIMITED: Meter = { gave: () => undefined, gaveMore: () => undefined, settle: () => undefined };

/** A call that may be made, and what it may take was reserved. */
export interface BegunCall {
  readonly prepared: PreparedCall;
  readonly meter: Meter;
}

/** What a call is begun with. */
type Beginning = Pick<Serving, "call" | "catalogue" | "limiter">;

/**
 * Prepares a call, and reserves what it may take. Fails with the reason why it can't be made, and has taken nothing then. The door is told
 * how it stands with the caller's limits, either way. Answers at once where nobody has to be waited for.
 */
export function beginCall(
  schema: DescMessage,
  request: ChatRequest,
  streaming: boolean,
  beginning: Beginning,
): BegunCall | Promise<BegunCall> {
  const { call, catalogue } = beginning;
  let prepared: PreparedCall | Promise<PreparedCall>;
  try {
    prepared = prepare(schema, request, streaming, { catalogue, caller: call.caller });
  } catch (thrown) {
    return refused(thrown, beginning);
  }
  if (!(prepared instanceof Promise)) return reserve(prepared, beginning);
  return prepared.then(
    (it) => reserve(it, beginning),
    (thrown) => refused(thrown, beginning),
  );
}

/** Also who may not make a call is told how it stands. */
async function refused(thrown: unknown, { call, limiter }: Beginning): Promise<never> {
  await tellStanding(limiter, call);
  throw thrown;
}

/** Reserves what a call may take. Fails with RATE_LIMIT_EXCEEDED or INSUFFICIENT_QUOTA. */
function reserve(prepared: PreparedCall, { call, limiter }: Beginning): BegunCall | Promise<BegunCall> {
  const { id, limits } = call.caller;
  if (limits === undefined) return { prepared, meter: UNLIMITED };
  const quota = knownQuotaOf(limits);
  const { demand, streaming } = prepared;
  const tokens = estimateTokens(demand, quota.tokensPerMinute);
  const decided = limiter.reserve(id, quota, { tokens, stream: streaming });
  return decided instanceof Promise
    ? decided.then((it) => begun(it, prepared, quota, call))
    : begun(decided, prepared, quota, call);
}

function begun(decided: Grant | Refusal, prepared: PreparedCall, quota: Quota, call: CallContext): BegunCall {
  call.tellStanding?.(decided.standing);
  if (!decided.granted) throw refuse(decided, call.caller.id, quota);
  return { prepared, meter: new GrantedMeter(decided, call.log, prepared.demand.promptTokens) };
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

  settle(): void {
    const { usage, costNanoDollars } = this.#log;
    if (usage === undefined) this.#grant.settle(this.#estimate());
    else this.#grant.settle({ tokens: usage.promptTokens + usage.completionTokens, nanoDollars: costNanoDollars ?? 0 });
  }

  /** A call that gave nothing took nothing: a provider that fails asks no price. */
  #estimate(): Use {
    if (this.#target === undefined) return { tokens: 0, nanoDollars: 0 };
    const { backend, model } = this.#target;
    const usage = blankUsage();
    usage.promptTokens = this.#promptTokens;
    usage.completionTokens = this.#tokens;
    completeUsage(usage);
    const cost = backend.cost?.({ model, answeredBy: undefined, usage, serviceTier: ServiceTier.UNSPECIFIED });
    return { tokens: usage.totalTokens, nanoDollars: Number(cost ?? 0n) };
  }
}
