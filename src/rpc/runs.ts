import type { Operations } from "../gateway/operation.ts";
import { RunsService } from "../gen/parley/runs/v1/runs_service_pb.ts";
import { type ServedMethod, streaming, unary } from "./served-method.ts";

/** The rpcs of parley.runs.v1.RunsService. */
export function serveRuns(operations: Operations): readonly ServedMethod[] {
  const { method } = RunsService;
  return [
    unary(method.createRun, operations.createRun),
    unary(method.getRun, operations.getRun),
    unary(method.waitRun, operations.waitRun),
    streaming(method.watchRun, operations.watchRun),
    unary(method.listRuns, operations.listRuns),
    unary(method.cancelRun, operations.cancelRun),
    unary(method.deleteRun, operations.deleteRun),
  ];
}
