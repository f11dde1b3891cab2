import type { ConnectRouter } from "@connectrpc/connect";
import type { Operations } from "../gateway/operation.ts";
import { RequestsService } from "../gen/parley/requests/v1/requests_service_pb.ts";
import { unary } from "./serve-operation.ts";

/** Serves parley.requests.v1.RequestsService. */
export function addRequestsService(router: ConnectRouter, operations: Operations): void {
  router.service(RequestsService, {
    listRequests: unary(operations.listRequests),
    getRequest: unary(operations.getRequest),
    summarizeUsage: unary(operations.summarizeUsage),
  });
}
