import { durationMs } from "@bufbuild/protobuf/wkt";
import type { Limiter } from "../admission/limits/limiter.ts";
import type { CallOptions } from "../gen/parley/chat/v1/chat_service_pb.ts";
import { MAX_TIMER_MS } from "../lib/sleep.ts";
import type { Catalogue } from "../routing/catalogue.ts";
import type { OpenScope } from "./call-scope.ts";
import type { CallContext } from "./operation.ts";
import type { GatewayOptions, RoutingOptions } from "./options.ts";

/** What a call is served with. */
export interface Serving {
  readonly call: CallContext;
  readonly open: OpenScope;
  readonly catalogue: Catalogue;
  readonly options: GatewayOptions;
  readonly limiter: Limiter;
}

/** How a call that says this looks for an answer. */
export function searchOptions(options: GatewayOptions, said: CallOptions | undefined): RoutingOptions {
  const hedgeAfter = said?.hedgeAfter;
  return hedgeAfter === undefined
    ? options
    : { ...options, hedgeAfterMs: Math.min(durationMs(hedgeAfter), MAX_TIMER_MS) };
}
