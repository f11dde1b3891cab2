import type { DescMessage } from "@bufbuild/protobuf";
import { admitChat, type ChatRequest } from "../admission/admit.ts";
import type { Caller } from "../admission/caller.ts";
import { mayUse } from "../admission/model-patterns.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ChatCompletionParams } from "../gen/parley/chat/v1/params_pb.ts";
import { Adjustment_Action } from "../gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { Catalogue } from "../routing/catalogue.ts";
import { type Choice, choose, type Route } from "../routing/choose.ts";
import { type Demand, demandOf } from "../routing/demand.ts";
import type { Target } from "../routing/target.ts";
import { CallLog } from "../telemetry/call-log.ts";
import type { PlannedCall } from "../upstream/backend.ts";

/** A call that may be made: admitted, and with the targets that may answer it. */
export interface PreparedCall {
  readonly request: ChatRequest;
  readonly params: ChatCompletionParams;
  readonly streaming: boolean;
  readonly demand: Demand;
  readonly choice: Choice;
  /** Id of who calls. */
  readonly tenant: string;
}

/** What a call is prepared with. */
interface Preparing {
  readonly catalogue: Catalogue;
  readonly caller: Caller;
}

/**
 * Admits a call, and chooses whom to ask, without calling anybody. Fails with the reason why it cannot be made. Answers at once, unless it
 * takes longer to judge the request. `streaming`: undefined for one that is queued.
 */
export function prepare(
  schema: DescMessage,
  request: ChatRequest,
  streaming: boolean | undefined,
  preparing: Preparing,
): PreparedCall | Promise<PreparedCall> {
  const admitted = admitChat(schema, request, streaming);
  return admitted instanceof Promise
    ? admitted.then((params) => prepareAdmitted(request, params, streaming, preparing))
    : prepareAdmitted(request, admitted, streaming, preparing);
}

function prepareAdmitted(
  request: ChatRequest,
  params: ChatCompletionParams,
  streaming: boolean | undefined,
  { catalogue, caller }: Preparing,
): PreparedCall {
  const { fallbackModels = [] } = request.options ?? {};
  const routes = [
    within(caller, catalogue.resolve(params.model), params.model, "model"),
    ...fallbackModels.map((name, at) => {
      const param = `fallback_models[${at}]`;
      return within(caller, catalogue.resolve(name, param), name, param);
    }),
  ];
  const demand = demandOf(params);
  // What is queued is streamed by whoever works on it.
  const streamed = streaming ?? true;
  const situation = { demand, streaming: streamed, now: Date.now(), random: Math.random };
  return { request, params, streaming: streamed, demand, choice: choose(routes, situation, params), tenant: caller.id };
}

/**
 * Leaves of a route what the caller may use: all of it, where they may use the name itself; else the targets that they may use. "auto"
 * is nobody's to allow: it keeps within what else is allowed. Fails with PERMISSION_DENIED where nothing is left.
 */
function within({ models }: Caller, route: Route, name: string, param: string): Route {
  if (models.length === 0 || (!route.isAuto && mayUse(models, name))) return route;
  const candidates = route.candidates.filter(({ target }) => mayUse(models, target.name));
  if (candidates.length > 0) return { ...route, candidates };
  throw notAllowed(name, param);
}

/** What a call fails with whose caller may not use the model. */
export const notAllowed = (name: string, param: string): GatewayError =>
  new GatewayError(Reason.PERMISSION_DENIED, `this key may not use the model "${name.slice(0, 200)}"`, { param });

/**
 * Plans a prepared call for one of its targets, and writes into the log what would be adjusted. Throws where the target is bound to refuse
 * it, and where a strict call would be adjusted.
 */
export function planFor(
  { request, params, streaming, tenant }: PreparedCall,
  target: Target,
  log: CallLog,
): PlannedCall {
  log.routed(params.model, target.name, []);
  const plan = target.backend.plan({ model: target.model, params, streaming, tenant });
  log.routed(params.model, target.name, plan.adjustments);
  if (request.options?.strict === true) refuseAdjustments(plan, target);
  return plan;
}

/** Fails with UNSUPPORTED_PARAMETER when a parameter would have to be adjusted. */
function refuseAdjustments({ adjustments }: PlannedCall, target: Target): void {
  const [first] = adjustments;
  if (first === undefined) return;
  const verb = Adjustment_Action[first.action].toLowerCase();
  throw new GatewayError(
    Reason.UNSUPPORTED_PARAMETER,
    `${first.path} would be ${verb} for ${target.name}: ${first.reason}; the call is strict`,
    {
      param: first.path,
      violations: adjustments.map(({ path, reason }) => ({
        path: `params.${path}`,
        description: reason,
        rule: "options.strict",
      })),
    },
  );
}

/** Plans a prepared call for its targets until one would take it. Fails where each refuses it, with what the first one says. */
export function checkPlans(prepared: PreparedCall): void {
  let refusal: unknown;
  for (const { target } of prepared.choice.chosen) {
    try {
      planFor(prepared, target, new CallLog("", "run"));
      return;
    } catch (thrown) {
      refusal ??= thrown;
    }
  }
  throw refusal;
}
