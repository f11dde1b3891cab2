import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";

/**
 * The `match` of a rule for models, as a pattern that is found anywhere in a name. `path`: its path in the provider's section:
 * "models[0].match". Throws INVALID_VALUE for what is no regular expression.
 */
export function modelPattern(match: string, path: string, flags = ""): RegExp {
  try {
    return new RegExp(match, flags);
  } catch (cause) {
    throw new GatewayError(Reason.INVALID_VALUE, `${path} must be a regular expression`, { param: path, cause });
  }
}
