import { requestId } from "../lib/ids.ts";

/** Header that carries the id of a call, both ways. */
export const REQUEST_ID_HEADER = "x-request-id";

/** What is taken of a client's id: printable, short, and nothing that could forge a line of a log. */
const ACCEPTABLE = /^[\w.:/+=@-]{1,128}$/;

/** The id that the client gave, when it is acceptable, or a new one. */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === "string" && ACCEPTABLE.test(header) ? header : requestId();
}
