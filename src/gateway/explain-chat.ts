import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { GatewayError } from "../errors/gateway-error.ts";
import {
  Candidate_Breaker as Breaker,
  type Candidate,
  CandidateSchema,
  type ExplainChatCompletionRequest,
  ExplainChatCompletionRequestSchema,
  type ExplainChatCompletionResponse,
  ExplainChatCompletionResponseSchema,
} from "../gen/parley/chat/v1/chat_service_pb.ts";
import type { BreakerState } from "../routing/breaker.ts";
import { costOf, readyAt } from "../routing/order.ts";
import { type Exclusion, exclusionsOf } from "../routing/suitable.ts";
import type { Candidate as Routed } from "../routing/target.ts";
import { latencyOf } from "../routing/target-state.ts";
import type { CallLog } from "../telemetry/call-log.ts";
import type { PlannedCall } from "../upstream/backend.ts";
import { type PreparedCall, planFor, prepare } from "./prepare.ts";
import type { Serving } from "./serving.ts";

/** Says who would be asked, with what, and why not the others. Fails as the call itself would before anybody is asked. */
export async function explainChat(
  request: ExplainChatCompletionRequest,
  { call, catalogue }: Pick<Serving, "call" | "catalogue">,
): Promise<ExplainChatCompletionResponse> {
  call.log.asked(request.params?.model ?? "");
  const streaming = request.params?.stream ?? false;
  const prepared = await prepare(ExplainChatCompletionRequestSchema, request, streaming, {
    catalogue,
    caller: call.caller,
  });
  const { choice, params, demand } = prepared;
  const planned = choice.chosen.map((candidate) => ({ candidate, ...tryPlan(prepared, candidate, call.log) }));
  const asked = planned.filter(({ plan }) => plan !== undefined);
  const [first] = asked;
  if (first?.plan === undefined) throw planned[0]?.refusal;
  const { candidate, plan } = first;
  const { target } = candidate;
  call.log.routed(params.model, target.name, plan.adjustments);
  const upstreamRequest = plan.describe();
  return create(ExplainChatCompletionResponseSchema, {
    provider: target.backend.id,
    model: target.model,
    adjustments: [...plan.adjustments],
    promptTokens: plan.promptTokens ?? 0,
    estimatedPromptTokens: demand.promptTokens,
    candidates: [
      ...asked.map((it, at) => describe(it.candidate, prepared, at + 1, [])),
      ...planned.flatMap(({ candidate: refusing, refusal }) =>
        refusal === undefined ? [] : [describe(refusing, prepared, 0, [exclusionBy(refusal)])],
      ),
      ...choice.unsuitable.map((it) => describe(it, prepared, 0, exclusionsOf(it.target, demand, params))),
    ],
    ...(upstreamRequest === undefined ? {} : { upstreamRequest }),
  });
}

/** Plans a call, or says why its target refuses it. */
function tryPlan(
  prepared: PreparedCall,
  { target }: Routed,
  log: CallLog,
): { readonly plan?: PlannedCall; readonly refusal?: GatewayError } {
  try {
    return { plan: planFor(prepared, target, log) };
  } catch (thrown) {
    return { refusal: GatewayError.from(thrown) };
  }
}

const exclusionBy = ({ reason, message, details }: GatewayError): Exclusion => ({
  reason,
  path: details.param ?? "",
  description: message,
});

const BREAKERS: Readonly<Record<BreakerState, Breaker>> = {
  closed: Breaker.CLOSED,
  open: Breaker.OPEN,
  half_open: Breaker.HALF_OPEN,
};

function describe(
  { target, answersAs }: Routed,
  { demand, streaming }: PreparedCall,
  rank: number,
  exclusions: readonly Exclusion[],
): Candidate {
  const { lane, breaker } = target.state;
  const now = Date.now();
  const readyInMs = readyAt(target, now) - now;
  const { usual } = latencyOf(target.state, streaming);
  const cost = costOf(target, demand);
  return create(CandidateSchema, {
    target: target.name,
    answersAs,
    rank,
    exclusions: [...exclusions],
    breaker: BREAKERS[breaker.state],
    inFlight: lane.inFlight,
    waiting: lane.waiting,
    ...(readyInMs > 0 && Number.isFinite(readyInMs) ? { availableIn: durationFromMs(Math.round(readyInMs)) } : {}),
    ...(usual === undefined ? {} : { latency: durationFromMs(Math.round(usual)) }),
    ...(cost === undefined ? {} : { estimatedCostNanoDollars: BigInt(Math.round(cost)) }),
  });
}
