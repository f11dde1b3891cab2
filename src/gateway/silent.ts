import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";

/** What an attempt, or a call, ends with whose model said nothing for so long. */
export const silent = (withinMs: number): GatewayError =>
  new GatewayError(Reason.DEADLINE_EXCEEDED, `the model sent nothing for ${Math.round(withinMs)} ms`);
