import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { isLoopback } from "../lib/address.ts";

/** What is looked at of a request. */
export interface GuardedRequest {
  readonly method: string | undefined;
  /** "http" or "https", as this port speaks it. */
  readonly scheme: "http" | "https";
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/**
 * Keeps pages of other origins out where nobody has to say who they are: a browser on this machine reaches the port, whatever it shows.
 * Fails with PERMISSION_DENIED
 *
 * - for a host that is neither this machine's loopback nor that of an allowed origin: a name that anybody can have lead to 127.0.0.1 makes
 *   their page one of the same origin (DNS rebinding);
 * - for an origin that is neither the port's own nor allowed ("null" is nobody's);
 * - for a request that the browser says comes from another site and that names no allowed origin, unless it opens a page.
 *
 * What is no browser sends none of these headers but the host. `allowedOrigins`: as browsers send them; "*" lets all in.
 */
export function guardFromPages({ method, scheme, headers }: GuardedRequest, allowedOrigins: readonly string[]): void {
  if (allowedOrigins.includes("*")) return;
  // HTTP/2 has the first one in the second one's place, and may have both.
  const hosts = [headers[":authority"], headers["host"]].filter((host) => host !== undefined);
  const urls = hosts.map((host) => urlOfHost(scheme, String(host)));
  for (const url of urls) {
    if (url === undefined || !(isLoopbackName(url.hostname) || isHostOf(url.host, allowedOrigins)))
      throw stranger("Host");
  }
  const origin = headers["origin"];
  if (origin !== undefined) {
    const text = String(origin);
    if (allowedOrigins.includes(text)) return;
    if (text === "null" || !urls.some((url) => url?.origin === text)) throw stranger("Origin");
  }
  const site = headers["sec-fetch-site"];
  const isForeign = site === "cross-site" || site === "same-site";
  const opensPage = method === "GET" && headers["sec-fetch-mode"] === "navigate";
  if (isForeign && !opensPage) throw stranger("Sec-Fetch-Site");
}

/** The address of a host with or without a port, in one spelling; undefined for text that is more than that, or none. */
function urlOfHost(scheme: string, host: string): URL | undefined {
  if (/[/\\?#@\s]/.test(host)) return undefined;
  return URL.parse(`${scheme}://${host}`) ?? undefined;
}

function isLoopbackName(hostname: string): boolean {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  return isLoopback(bare) || bare.endsWith(".localhost");
}

const isHostOf = (host: string, origins: readonly string[]): boolean =>
  origins.some((origin) => URL.parse(origin)?.host === host);

const stranger = (header: string): GatewayError =>
  new GatewayError(
    Reason.PERMISSION_DENIED,
    `the header ${header} is not one that this gateway takes while it is open to everybody on its machine: pages of other origins ` +
      "can't call it unless cors.allowed_origins has theirs",
  );
