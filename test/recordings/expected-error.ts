import { expect } from "vitest";
import { CATALOGUE } from "../../src/errors/catalogue.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import type { DoorError } from "../support/door-error.ts";
import type { DoorClient } from "../support/doors.ts";
import type { ErrorReading } from "./reading/reading.ts";

/** What nobody may find in a message: keys, and names of accounts. */
const SECRET = /sk-|AIza|Bearer |\borg-\w|\buser_\w{8}|key-of-the-gateway/;

/** How an error that was read shows at a door. */
export function expectedError({ reason, code, upstream, before }: ErrorReading, door: DoorClient["name"]): object {
  const row = CATALOGUE[Reason[reason as keyof typeof Reason]];
  const isLimit = reason === "RATE_LIMIT_EXCEEDED" && /^(?:requests|tokens)$/.test(upstream?.type ?? "");
  return {
    message: expect.not.stringMatching(SECRET),
    type: isLimit ? upstream?.type : row.type,
    code: code ?? row.code,
    status: expect.stringMatching(door === "rest" ? restStatus(before, row.httpStatus) : `^${row.connectCode}$`),
    reason: door === "rest" ? undefined : `parley: ${reason}`,
  };
}

/**
 * An error that comes first has its own status; one after output can't have any. What stands between the two, such as the role, may
 * or may not be sent ahead.
 */
function restStatus({ events, content, reasoning, calls }: ErrorReading["before"], status: number): string {
  if (events === 0) return `^${status}$`;
  return content !== "" || reasoning !== "" || calls > 0 ? "^none$" : `^(?:none|${status})$`;
}

/** An error at a door, in the same form. */
export const shownError = ({ message, type, code, status, details }: DoorError): object => ({
  message,
  type,
  code,
  status: String(status ?? "none"),
  reason: details?.reason,
});
