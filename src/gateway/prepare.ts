import type { DescMessage } from "@bufbuild/protobuf";
import { admitChat, type ChatRequest } from "../admission/admit.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ChatCompletionParams } from "../gen/parley/chat/v1/params_pb.ts";
import { Adjustment_Action } from "../gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { Catalogue, Target } from "../routing/catalogue.ts";
import type { CallLog } from "../telemetry/call-log.ts";
import type { PlannedCall } from "../upstream/backend.ts";

/** A call that may be made: admitted, routed and planned. */
export interface PreparedCall {
  readonly params: ChatCompletionParams;
  readonly target: Target;
  readonly plan: PlannedCall;
  /** How many choices the answer has. */
  readonly choices: number;
}

/** Admits, routes and plans a call, without calling anybody. Fails with the reason why it cannot be made. */
export function prepare(
  schema: DescMessage,
  request: ChatRequest,
  streaming: boolean,
  catalogue: Catalogue,
  log: CallLog,
): PreparedCall {
  const params = admitChat(schema, request, streaming);
  const target = catalogue.resolve(params.model);
  const plan = target.backend.plan({ model: target.model, params, streaming });
  log.routed(params.model, target.name, plan.adjustments);
  if (request.options?.strict === true) refuseAdjustments(plan, target);
  return { params, target, plan, choices: params.n ?? 1 };
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
