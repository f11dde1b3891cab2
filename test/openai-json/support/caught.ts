import { GatewayError } from "../../../src/errors/gateway-error.ts";

/** The GatewayError that an action throws; fails the test if it throws nothing, or anything else. */
export function caught(action: () => unknown): GatewayError {
  try {
    action();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
