import type { Operations } from "../gateway/operation.ts";
import { RequestsService } from "../gen/parley/requests/v1/requests_service_pb.ts";
import { type ServedMethod, unary } from "./served-method.ts";

/** The rpcs of parley.requests.v1.RequestsService. */
export function serveRequestLog(operations: Operations): readonly ServedMethod[] {
  const { method } = RequestsService;
  return [
    unary(method.listRequests, operations.listRequests),
    unary(method.getRequest, operations.getRequest),
    unary(method.summarizeUsage, operations.summarizeUsage),
  ];
}
