import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { GatewayError } from "./gateway-error.ts";

/** What a call ends with whose client went away. Nobody reads it; the log has it. */
export const clientGone = (): GatewayError => new GatewayError(Reason.CANCELLED, "the client went away");
