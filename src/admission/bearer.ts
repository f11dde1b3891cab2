import type { IncomingHttpHeaders } from "node:http";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";

/** Longest header that is read. */
const MAX_LENGTH = 16_384;

/** The scheme is in any case (RFC 9110 §11.1); what follows is one token68 (RFC 6750 §2.1). */
const FORM = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

const EXPECTED = "send one key or token as `Authorization: Bearer …`";

/** Reads the key or token of a request. Fails with INVALID_API_KEY, and does not repeat what was sent. */
export function readBearer(headers: IncomingHttpHeaders): string {
  const value: unknown = headers.authorization;
  if (value === undefined || value === "") throw invalid(`there is no key: ${EXPECTED}`);
  if (typeof value !== "string") throw invalid(`there are several keys: ${EXPECTED}`);
  if (value.length > MAX_LENGTH) throw invalid(`the header Authorization is longer than ${MAX_LENGTH} characters`);
  const text = FORM.exec(value)?.[1];
  if (text === undefined) throw invalid(`the header Authorization is not understood: ${EXPECTED}`);
  return text;
}

/** The error of a caller that nobody knows. */
export const invalid = (message: string): GatewayError => new GatewayError(Reason.INVALID_API_KEY, message);
