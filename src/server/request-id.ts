import type { HttpResponse } from "../lib/http-exchange.ts";
import { requestId } from "../lib/ids.ts";

/** Header that carries the id of a call, both ways. */
export const REQUEST_ID_HEADER = "x-request-id";

/** What is taken of a client's id: printable, short, and nothing that could forge a line of a log. */
const ACCEPTABLE = /^[\w.:/+=@-]{1,128}$/;

/** The property of an answer that has its id. */
const ID = Symbol("request id");

interface Identified {
  [ID]?: string;
}

/** Gives an answer its id, for whoever finds only the answer later. The header is written with the others. */
export function identify(response: HttpResponse, id: string): void {
  (response as Identified)[ID] = id;
}

/** The id that an answer was given. */
export const idOf = (response: HttpResponse | undefined): string | undefined =>
  (response as Identified | undefined)?.[ID];

/** The id that the client gave, when it is acceptable, or a new one. */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === "string" && ACCEPTABLE.test(header) ? header : requestId();
}
