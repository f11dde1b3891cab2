import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";

/** What a call ends with that asks for a run which does not exist, or belongs to somebody else. */
export const runNotFound = (): GatewayError =>
  new GatewayError(Reason.NOT_FOUND, "there is no run of that uid", { param: "uid" });
