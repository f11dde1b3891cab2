import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { formatPath, type PathSegment } from "./path.ts";

/** What can't be encoded. Every container that it leaves adds its step to the path, which so costs nothing as long as all is well. */
export class EncodeFault extends Error {
  override readonly name = "EncodeFault";
  /** Deepest step first. */
  readonly steps: PathSegment[] = [];
  readonly reason: Reason;

  /** `problem`: "is NaN". The reason is INTERNAL unless the caller can mend it. */
  constructor(problem: string, reason: Reason = Reason.INTERNAL) {
    super(problem);
    this.reason = reason;
  }
}

/** Throws a fault again, with the step that led to it. */
export function rethrowAt(step: PathSegment, error: unknown): never {
  if (error instanceof EncodeFault) error.steps.push(step);
  throw error;
}

/** Makes the error of a fault that has left the outermost message; anything else is returned as it is. */
export function toGatewayError(error: unknown): unknown {
  if (!(error instanceof EncodeFault)) return error;
  const param = formatPath(error.steps.toReversed());
  return new GatewayError(error.reason, `${param} ${error.message}`, { param });
}
