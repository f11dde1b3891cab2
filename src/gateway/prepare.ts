import type { DescMessage } from "@bufbuild/protobuf";
import { admitChat, type ChatRequest } from "../admission/admit.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ChatCompletionParams } from "../gen/parley/chat/v1/params_pb.ts";
import { Adjustment_Action } from "../gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { Catalogue } from "../routing/catalogue.ts";
import { type Choice, choose } from "../routing/choose.ts";
import { type Demand, demandOf } from "../routing/demand.ts";
import type { Target } from "../routing/target.ts";
import type { CallLog } from "../telemetry/call-log.ts";
import type { PlannedCall } from "../upstream/backend.ts";

/** A call that may be made: admitted, and with the targets that may answer it. */
export interface PreparedCall {
  readonly request: ChatRequest;
  readonly params: ChatCompletionParams;
  readonly streaming: boolean;
  readonly demand: Demand;
  readonly choice: Choice;
}

/** Admits a call, and chooses whom to ask, without calling anybody. Fails with the reason why it cannot be made. */
export function prepare(
  schema: DescMessage,
  request: ChatRequest,
  streaming: boolean,
  catalogue: Catalogue,
): PreparedCall {
  const params = admitChat(schema, request, streaming);
  const { fallbackModels = [] } = request.options ?? {};
  const routes = [
    catalogue.resolve(params.model),
    ...fallbackModels.map((name, at) => catalogue.resolve(name, `fallback_models[${at}]`)),
  ];
  const demand = demandOf(params);
  const situation = { demand, streaming, now: Date.now(), random: Math.random };
  return { request, params, streaming, demand, choice: choose(routes, situation, params) };
}

/**
 * Plans a prepared call for one of its targets, and writes into the log what would be adjusted. Throws where the target is bound to refuse
 * it, and where a strict call would be adjusted.
 */
export function planFor({ request, params, streaming }: PreparedCall, target: Target, log: CallLog): PlannedCall {
  log.routed(params.model, target.name, []);
  const plan = target.backend.plan({ model: target.model, params, streaming });
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
