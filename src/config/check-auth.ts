import { isLoopback } from "../lib/address.ts";
import type { Report } from "./problems.ts";
import type { AuthSettings } from "./settings.ts";

/** Beginning of the ids of the store's keys. */
const STORED_PREFIX = "key_";
/** What somebody is called who need not say who they are. */
const OPEN_ID = "open";
const CONTROL = /\p{Cc}/u;

/** Checks what the schema's rules can't say of who may call. */
export function checkAuth({ keys, jwt }: AuthSettings, report: Report): void {
  const placeOfId = new Map<string, number>();
  const placeOfHash = new Map<string, number>();
  for (const [index, { id, sha256, models }] of keys.entries()) {
    const path = `auth.keys[${index}]`;
    if (id.startsWith(STORED_PREFIX)) {
      report(
        `${path}.id`,
        `"${id}" can't be the id of a key of the file: ids that begin with "key_" are made by Parley`,
      );
    }
    if (id === OPEN_ID) report(`${path}.id`, '"open" is what callers without a key are called');
    const sameId = placeOfId.get(id);
    // An empty one is missing, which the schema reports.
    if (sameId !== undefined && id !== "") report(`${path}.id`, `"${id}" is the id of auth.keys[${sameId}], too`);
    placeOfId.set(id, sameId ?? index);
    const sameHash = placeOfHash.get(sha256);
    if (sameHash !== undefined && sha256 !== "") report(`${path}.sha256`, `is that of auth.keys[${sameHash}], too`);
    placeOfHash.set(sha256, sameHash ?? index);
    for (const [at, pattern] of models.entries()) {
      if (CONTROL.test(pattern))
        report(`${path}.models[${at}]`, "has a control character, which no model has in its name");
    }
  }
  if (jwt !== undefined && URL.canParse(jwt.jwksUrl) && !isTrusted(new URL(jwt.jwksUrl))) {
    report(
      "auth.jwt.jwks_url",
      "must begin with https://, or with http:// and a loopback address: who changes it on its way can call",
    );
  }
}

/** Whether nobody in between can put their own keys there. */
const isTrusted = ({ protocol, hostname }: URL): boolean =>
  protocol === "https:" || (protocol === "http:" && isLoopback(hostname.replace(/^\[(.*)\]$/, "$1")));
