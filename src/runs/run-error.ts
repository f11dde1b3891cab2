import { create } from "@bufbuild/protobuf";
import type { GatewayError } from "../errors/gateway-error.ts";
import { type RunError, RunErrorSchema } from "../gen/parley/runs/v1/runs_service_pb.ts";

/** What a run failed with, as the run tells it. */
export function runErrorOf({ reason, message, type, code, details: { param } }: GatewayError): RunError {
  return create(RunErrorSchema, {
    reason,
    message,
    type,
    ...(param === undefined ? {} : { param }),
    ...(code === null ? {} : { code }),
  });
}
