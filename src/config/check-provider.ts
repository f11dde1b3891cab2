import { formatPath } from "../openai-json/path.ts";
import { REDACTED } from "../telemetry/redaction.ts";
import type { ProviderFamily } from "./provider-settings.ts";

/** Takes down what is wrong with a key of a provider's section: "base_url". Never with a value, which may hold a secret. */
type ReportKey = (key: string, message: string) => void;

/** A header's name (RFC 9110 §5.6.2). */
const HEADER_NAME = /^[!#$%&'*+.^_`|~\w-]+$/;
/** A header's value: visible characters, and blanks between them (RFC 9110 §5.5). */
const HEADER_VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;
/** A key goes into a header of its own, and none has a blank in it. */
const KEY = /^[\x21-\x7e]+$/;

/** Headers of the connection and the body: a value of another hand would break requests. */
const OWN_HEADERS: readonly string[] = [
  "accept-encoding",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Checks what all families have, and the schema's rules can't say. */
export function checkProvider({ config }: ProviderFamily, report: ReportKey): void {
  const { baseUrl, apiKey, apiKeys, headers } = config;
  if (baseUrl !== undefined && baseUrl !== "") checkBaseUrl(baseUrl, (message) => report("base_url", message));
  checkKeys(apiKey, apiKeys, report);
  const names = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    const key = formatPath(["headers", name]);
    const lower = name.toLowerCase();
    if (names.has(lower)) report(key, "is there twice: case does not count in a header's name");
    else names.add(lower);
    if (!HEADER_NAME.test(name)) report(key, "is not a header's name");
    else if (OWN_HEADERS.includes(lower)) report(key, "is a header that Parley sets itself");
    else if (!HEADER_VALUE.test(value)) report(key, "has a value that a header can't carry, such as a line break");
  }
}

/** Checks the keys of a provider, without a word of what they are. */
function checkKeys(apiKey: string | undefined, apiKeys: readonly string[], report: ReportKey): void {
  const places = new Map<string, string>();
  const check = (key: string, place: string): void => {
    const first = places.get(key);
    if (key === "") report(place, "is empty; leave it out where no key is needed");
    else if (!KEY.test(key)) report(place, "has a blank, a line break, or another character that no key has");
    // What check-config prints has the same mark in the place of each, and has to be a valid file.
    else if (first !== undefined && key !== REDACTED) report(place, `is the same key as ${first}`);
    if (first === undefined) places.set(key, place);
  };
  if (apiKey !== undefined) check(apiKey, "api_key");
  for (const [index, key] of apiKeys.entries()) check(key, formatPath(["api_keys", index]));
}

/** Checks the address of a provider. Its text is not repeated: it may hold a secret. */
export function checkBaseUrl(text: string, report: (message: string) => void): void {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    report('must be an address that starts with "https://" or "http://"');
  } else if (url.username !== "" || url.password !== "") {
    report('must not have a user or a password in it; "headers" can carry them');
  } else if (url.hash !== "") {
    report('must not have a "#" in it');
  }
}
