import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";

/**
 * What callers hear of an address that was refused, did not answer, or answered with an error. It is one text for all of it: what
 * went wrong in detail would make the gateway a scanner of the networks that it can reach.
 */
export const NOT_FETCHED = "this address can't be fetched";

/** The error for a medium that can't be had. It is the caller's to mend. `path`: the JSON path of its address. */
export const mediaRefusal = (path: string, why: string, cause?: unknown): GatewayError =>
  new GatewayError(Reason.INVALID_VALUE, `${path}: ${why}`, { param: path, code: "invalid_image_url", cause });
