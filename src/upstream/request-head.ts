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
  of({ accept, headers, body }: Omit<SentRequest, "method" | "path">): string[] {
    const { withBody, withoutBody } = this.#head;
    const accepting = accept === undefined ? {} : { accept };
    if (body === undefined) return listOf({ ...withoutBody, ...accepting, ...headers });
    if (headers !== undefined) return listOf({ ...withBody, ...accepting, ...headers });
    let list = this.#withBody.get(accept);
    if (list === undefined) {
      list = listOf({ ...withBody, ...accepting });
      this.#withBody.set(accept, list);
    }
    return list;
  }
}

const listOf = (headers: Readonly<Record<string, string>>): string[] => Object.entries(headers).flat();

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
export function shownHeaders(endpoint: Endpoint, request: WireRequest, userAgent: string): Record<string, string> {
  const { withBody, withoutBody } = readEndpoint(endpoint, userAgent);
  const shown: Record<string, unknown> = {
    ...(request.body === undefined ? withoutBody : withBody),
    ...request.headers,
  };
  for (const name of Object.keys(endpoint.secretHeaders)) shown[name] = REDACTED;
  return redact(shown) as Record<string, string>;
}

const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64")}`;
