import { REDACTED } from "../telemetry/redaction.ts";

/** Parameters of a database's address that are shown; the values of all others could be passwords. */
const SHOWN: readonly string[] = [
  "sslmode",
  "application_name",
  "connect_timeout",
  "host",
  "port",
  "dbname",
  "user",
  "family",
];

const USER_INFO = /^([a-z+]+:\/\/)([^/?#]*)@/i;

/** The address of a database as it may be shown: its password, and what may be one in its query, is redacted. */
export function withoutPassword(address: string): string {
  // The last "@" before the path ends user and password; a password may have others, which its owner should have escaped.
  const shown = address.replace(USER_INFO, (_, scheme: string, userInfo: string) => {
    const [user = "", ...password] = userInfo.split(":");
    return `${scheme}${user}${password.length === 0 ? "" : `:${REDACTED}`}@`;
  });
  const [base = "", query] = shown.split(/\?(.*)/s, 2);
  if (query === undefined || query === "") return shown;
  const pairs = query.split("&").map((pair) => {
    const [name = ""] = pair.split("=", 1);
    if (SHOWN.includes(name)) return pair;
    // Without a name, the whole of it may be the secret.
    return pair === name ? REDACTED : `${name}=${REDACTED}`;
  });
  return `${base}?${pairs.join("&")}`;
}
