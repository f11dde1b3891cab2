import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";

/** Whether a database can be reached, as far as the last try tells. */
export interface Reach {
  readonly isAway: boolean;
  /** It answered. */
  found(): void;
  /** It did not; makes the error that says so. */
  lost(cause: unknown): GatewayError;
}

/** Begins with a database that can be reached. */
export function createReach(): Reach {
  let isAway = false;
  return {
    get isAway() {
      return isAway;
    },
    found() {
      isAway = false;
    },
    lost(cause) {
      isAway = true;
      return new GatewayError(Reason.UNAVAILABLE, "the database can't be reached", { cause });
    },
  };
}
