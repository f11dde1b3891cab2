import { describe, expect, it } from "vitest";
import { type GuardedRequest, guardFromPages } from "../../src/admission/browser-guard.ts";
import { failureOf } from "./support/reason.ts";

type Headers = GuardedRequest["headers"];

interface Row {
  readonly what: string;
  readonly headers: Headers;
  readonly allowed?: readonly string[];
  readonly method?: string;
  readonly scheme?: "http" | "https";
  /** The header that it is refused for; unset: it is not. */
  readonly refusal?: "Host" | "Origin" | "Sec-Fetch-Site";
}

const LOCAL = "127.0.0.1:8080";
const APP = "https://app.example";

const ROWS: readonly Row[] = [
  { what: "a client that is no browser", headers: { host: LOCAL } },
  { what: "a client without a host", headers: {} },
  ...["localhost", "localhost:8080", "LOCALHOST:8080", "a.localhost:1", "localhost.:80", "127.9.9.9", "[::1]:8080"].map(
    (host) => ({ what: `the host ${host}`, headers: { host } }),
  ),
  { what: "an :authority of HTTP/2", headers: { ":authority": LOCAL } },
  ...[
    "evil.example",
    "evil.example:8080",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "notlocalhost",
    "10.0.0.1:8080",
    "0.0.0.0:8080",
    "[::]:8080",
    "[fe80::1]:8080",
    "user@localhost",
    "localhost/evil",
    "localhost#evil.example",
    "localhost evil",
    "localhost,evil.example",
    "localhost:port",
    "",
    "%",
  ].map((host) => ({ what: `the host ${JSON.stringify(host)}`, headers: { host }, refusal: "Host" as const })),
  { what: "another :authority", headers: { ":authority": "evil.example" }, refusal: "Host" },
  { what: "another host beside :authority", headers: { ":authority": LOCAL, host: "evil.example" }, refusal: "Host" },
  { what: "the host of an allowed origin", headers: { host: "app.example" }, allowed: [APP], scheme: "https" },
  { what: "its host with the port", headers: { host: "app.example:443" }, allowed: [APP], scheme: "https" },
  { what: "its host with another port", headers: { host: "app.example:8080" }, allowed: [APP], refusal: "Host" },
  { what: "its own origin", headers: { host: LOCAL, origin: `http://${LOCAL}` } },
  { what: "its own origin by HTTP/2", headers: { ":authority": "localhost", origin: "http://localhost" } },
  {
    what: "its own origin over TLS",
    headers: { host: "localhost:8443", origin: "https://localhost:8443" },
    scheme: "https",
  },
  { what: "its own host of another scheme", headers: { host: LOCAL, origin: `https://${LOCAL}` }, refusal: "Origin" },
  {
    what: "its own host at another port",
    headers: { host: LOCAL, origin: "http://127.0.0.1:3000" },
    refusal: "Origin",
  },
  { what: "another loopback name", headers: { host: LOCAL, origin: "http://localhost:8080" }, refusal: "Origin" },
  { what: "another origin", headers: { host: LOCAL, origin: "https://evil.example" }, refusal: "Origin" },
  { what: "the origin null", headers: { host: LOCAL, origin: "null" }, refusal: "Origin" },
  { what: "an empty origin", headers: { host: LOCAL, origin: "" }, refusal: "Origin" },
  { what: "an origin without a host", headers: { origin: "https://evil.example" }, refusal: "Origin" },
  { what: "an allowed origin", headers: { host: LOCAL, origin: APP, "sec-fetch-site": "cross-site" }, allowed: [APP] },
  {
    what: "an origin like an allowed one",
    headers: { host: LOCAL, origin: "https://app.example.evil.example" },
    allowed: [APP],
    refusal: "Origin",
  },
  {
    what: "an allowed origin at another host",
    headers: { host: "evil.example", origin: APP },
    allowed: [APP],
    refusal: "Host",
  },
  { what: "every origin, where all are allowed", headers: { host: "evil.example", origin: "null" }, allowed: ["*"] },
  { what: "a page of its own", headers: { host: LOCAL, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" } },
  {
    what: "an address that a user typed",
    headers: { host: LOCAL, "sec-fetch-site": "none", "sec-fetch-mode": "navigate" },
  },
  {
    what: "an image in another site's page",
    headers: { host: LOCAL, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" },
    refusal: "Sec-Fetch-Site",
  },
  {
    what: "a page of another port",
    headers: { host: LOCAL, "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" },
    refusal: "Sec-Fetch-Site",
  },
  {
    what: "a link in another site's page",
    headers: { host: LOCAL, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
  },
  {
    what: "a form in another site's page",
    headers: { host: LOCAL, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
    method: "POST",
    refusal: "Sec-Fetch-Site",
  },
  {
    what: "another site that claims its origin",
    headers: { host: LOCAL, origin: `http://${LOCAL}`, "sec-fetch-site": "cross-site" },
    refusal: "Sec-Fetch-Site",
  },
];

describe("guardFromPages()", () => {
  it.each(ROWS)("judges $what", async ({ headers, allowed = [], method = "GET", scheme = "http", refusal }) => {
    const failure = await failureOf(() => guardFromPages({ method, scheme, headers }, allowed));
    expect(/^(none)|^PERMISSION_DENIED: the header (\S+) /.exec(failure)?.slice(1)).toEqual(
      refusal === undefined ? ["none", undefined] : [undefined, refusal],
    );
  });
});
