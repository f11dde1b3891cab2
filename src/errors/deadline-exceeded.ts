import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { GatewayError } from "./gateway-error.ts";

/** What a call ends with that took longer than it may; milliseconds from its arrival. */
export const deadlineExceeded = (timeoutMs: number): GatewayError =>
  new GatewayError(Reason.DEADLINE_EXCEEDED, `the call did not end within its deadline of ${timeoutMs} ms`);
