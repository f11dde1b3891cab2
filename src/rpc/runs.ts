import type { ConnectRouter } from "@connectrpc/connect";
import type { Operations } from "../gateway/operation.ts";
import { RunsService } from "../gen/parley/runs/v1/runs_service_pb.ts";
import { streaming, unary } from "./serve-operation.ts";

/** Serves parley.runs.v1.RunsService. */
export function addRunsService(router: ConnectRouter, operations: Operations): void {
  router.service(RunsService, {
    createRun: unary(operations.createRun),
    getRun: unary(operations.getRun),
    waitRun: unary(operations.waitRun),
    watchRun: streaming(operations.watchRun),
    listRuns: unary(operations.listRuns),
    cancelRun: unary(operations.cancelRun),
    deleteRun: unary(operations.deleteRun),
  });
}
