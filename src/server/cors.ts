import { cors as connectCors } from "@connectrpc/connect";
import { STANDING_HEADERS } from "../admission/limits/standing-headers.ts";
import type { HttpRequest, HttpResponse } from "../lib/http-exchange.ts";

/** Lets pages of other origins call, where that is configured (the Fetch standard's CORS protocol). */
export interface Cors {
  /** Sets the headers that let the page read the answer. Returns whether the request was a preflight, which is then answered. */
  handle(request: HttpRequest, response: HttpResponse): boolean;
}

/** Headers of requests that a page may set, besides those of the rpc protocols. */
const REQUEST_HEADERS = [
  "Authorization",
  "Idempotency-Key",
  "Last-Event-ID",
  "OpenAI-Organization",
  "OpenAI-Project",
  "X-Request-Id",
  "X-Parley-Strict",
  "X-Parley-Include-Reasoning",
  "X-Parley-Fallback-Models",
  "X-Parley-Hedge-After",
  "X-Parley-Run-Timeout",
  "X-Parley-Timeout-Ms",
  "X-Parley-Webhook-Url",
  "X-Stainless-Arch",
  "X-Stainless-Helper-Method",
  "X-Stainless-Lang",
  "X-Stainless-OS",
  "X-Stainless-Package-Version",
  "X-Stainless-Retry-Count",
  "X-Stainless-Runtime",
  "X-Stainless-Runtime-Version",
  "X-Stainless-Timeout",
];

/** Headers of answers that a page may read, besides those of the rpc protocols. */
const RESPONSE_HEADERS = [
  "OpenAI-Processing-Ms",
  "Retry-After",
  "Retry-After-Ms",
  "X-Parley-Adjustments",
  "X-Parley-Attempts",
  "X-Parley-Cost-Nano-Dollars",
  "X-Parley-Ignored",
  "X-Parley-Model",
  "X-Parley-Provider",
  "X-Parley-Upstream-Id",
  "X-Parley-Upstream-Model",
  "X-Request-Id",
  "X-Should-Retry",
  ...STANDING_HEADERS,
];

const METHODS = "GET, POST, PATCH, DELETE, OPTIONS";
const ALLOW_HEADERS = [...connectCors.allowedHeaders, ...REQUEST_HEADERS].join(", ");
const EXPOSE_HEADERS = [...connectCors.exposedHeaders, ...RESPONSE_HEADERS].join(", ");
/** Seconds for which a browser keeps a preflight's answer; no browser keeps it longer. */
const MAX_AGE = "7200";

/** Lets pages of these origins call; "*" lets all. Credentials such as cookies are never allowed: Parley has none. */
export function createCors(allowedOrigins: readonly string[]): Cors {
  const any = allowedOrigins.includes("*");
  const allowed = new Set(allowedOrigins);
  return {
    handle(request, response) {
      if (allowed.size === 0) return false;
      if (!any) response.setHeader("vary", "Origin");
      const { origin } = request.headers;
      if (origin === undefined || !(any || allowed.has(origin))) return false;
      response.setHeader("access-control-allow-origin", any ? "*" : origin);
      if (request.method !== "OPTIONS" || request.headers["access-control-request-method"] === undefined) {
        response.setHeader("access-control-expose-headers", EXPOSE_HEADERS);
        return false;
      }
      response.setHeader("access-control-allow-methods", METHODS);
      response.setHeader("access-control-allow-headers", ALLOW_HEADERS);
      response.setHeader("access-control-max-age", MAX_AGE);
      response.statusCode = 204;
      response.end();
      return true;
    },
  };
}
