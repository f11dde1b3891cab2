import { hash } from "node:crypto";

/** A key of a configuration, for tests that need its secret, too. */
export interface ConfigKey {
  readonly id: string;
  readonly secret: string;
  /** As the file has it. */
  readonly entry: object;
}

/** Makes one. Its secret is made of its id, and has the form of those that the gateway makes. */
export function configKey(id: string, scopes: readonly string[], rest: object = {}): ConfigKey {
  const secret = `sk-parley-${hash("sha256", `secret of ${id}`, "base64url")}`;
  return { id, secret, entry: { id, sha256: hash("sha256", secret), scopes, ...rest } };
}
