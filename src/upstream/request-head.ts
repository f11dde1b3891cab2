import type { Endpoint, WireRequest } from "../providers/provider.ts";
import { REDACTED, redact, shownQuery } from "../telemetry/redaction.ts";
import type { SentRequest } from "./client.ts";

/** What of a request does not depend on the call: read off an endpoint once. */
export interface EndpointHead {
  /** Scheme, host and port: "https://api.openai.com". */
  readonly origin: string;
  /** Path of the base, without a slash at its end: "/v1". */
  readonly basePath: string;
  readonly query: string;
  /** Headers of a request with a body, and of one without; those with secrets are in them. */
  readonly withBody: Readonly<Record<string, string>>;
  readonly withoutBody: Readonly<Record<string, string>>;
}

/** Reads an endpoint. User and password of its address become a header, unless it has its own `authorization`. */
export function readEndpoint({ baseUrl, query, headers, secretHeaders }: Endpoint, userAgent: string): EndpointHead {
  const { origin, pathname, username, password } = new URL(baseUrl);
  const withoutBody = {
    "user-agent": userAgent,
    ...(username === "" && password === "" ? {} : { authorization: basic(username, password) }),
    ...headers,
    ...secretHeaders,
    // A compressor in between would hold back what is to be passed on at once.
    "accept-encoding": "identity",
  };
  return {
    origin,
    basePath: pathname.replace(/\/+$/, ""),
    query,
    withBody: { ...withoutBody, "content-type": "application/json" },
    withoutBody,
  };
}

/** Writes the headers of requests to one endpoint, as names and values in turn. */
export class HeaderLists {
  readonly #head: EndpointHead;
  /** By what is accepted. Most requests have nothing else of their own. */
  readonly #withBody = new Map<string | undefined, string[]>();

  constructor(head: EndpointHead) {
    this.#head = head;
  }

  /** The headers of a request. The list is not to be changed. */
  of(request: OwnParts): string[] {
    const { accept, headers, body } = request;
    const known = headers === undefined && body !== undefined ? this.#withBody.get(accept) : undefined;
    if (known !== undefined) return known;
    const list = Object.entries(headersOf(this.#head, request)).flat();
    if (headers === undefined && body !== undefined) this.#withBody.set(accept, list);
    return list;
  }
}

/** What of a request's headers depends on the call. */
type OwnParts = Pick<SentRequest, "accept" | "headers" | "body">;

/** The headers of a request: its own win. */
function headersOf(
  { withBody, withoutBody }: EndpointHead,
  { accept, headers, body }: OwnParts,
): Record<string, string> {
  return {
    ...(body === undefined ? withoutBody : withBody),
    ...(accept === undefined ? {} : { accept }),
    ...headers,
  };
}

/** Path and query of a request, from the root on. */
export function requestPath({ basePath, query }: Pick<EndpointHead, "basePath" | "query">, path: string): string {
  if (query === "") return basePath + path;
  return `${basePath}${path}${path.includes("?") ? "&" : "?"}${query}`;
}

/** The whole address of a request as it may be shown: without user and password, and without what may be a secret in its query. */
export function shownUrl(endpoint: Endpoint, { path }: WireRequest): string {
  const { origin, basePath, query } = readEndpoint(endpoint, "");
  return origin + requestPath({ basePath, query: shownQuery(query, REDACTED) }, path);
}

/** The headers of a request as they may be shown. */
export function shownHeaders(endpoint: Endpoint, request: OwnParts, userAgent: string): Record<string, string> {
  const shown: Record<string, unknown> = headersOf(readEndpoint(endpoint, userAgent), request);
  for (const name of Object.keys(endpoint.secretHeaders)) shown[name] = REDACTED;
  return redact(shown) as Record<string, string>;
}

const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64")}`;
