import type { IncomingHttpHeaders } from "node:http";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";

/** Header by which a client bounds the time that a call takes, in milliseconds. */
const HEADER = "x-parley-timeout-ms";

/** Reads how long a client gives its call, in milliseconds from 1 to `max`; undefined where it does not say. */
export function readTimeout(headers: IncomingHttpHeaders, max: number): number | undefined {
  const text = headers[HEADER];
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(String(text)) ? Number(text) : 0;
  if (value >= 1 && value <= max) return value;
  const shown = String(text).slice(0, 40);
  throw new GatewayError(
    Reason.INVALID_VALUE,
    `header ${HEADER} must be an integer from 1 to ${max}, but is "${shown}"`,
    {
      param: HEADER,
    },
  );
}
