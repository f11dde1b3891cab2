import type { KeyUse, Ledger, MadeKey } from "./ledger.ts";

/** A revoke is felt everywhere after this time. */
const REVOKE_MS = 1_000;

/** Of the keys that were acknowledged: each lets its caller in until somebody revokes it, and never again a second after that was acknowledged. */
export function judgeKeys({ keys, keyUses }: Ledger): readonly string[] {
  const byId = new Map(keys.map((key) => [key.id, key]));
  return keyUses.flatMap((use) => {
    const key = byId.get(use.id);
    const fault = key === undefined ? "it was never made" : judgeUse(key, use);
    return fault === undefined ? [] : [`key ${use.id}, used by ${use.by}: ${fault}`];
  });
}

function judgeUse({ revokeSentAt, revokedAt }: MadeKey, { from, to, status }: KeyUse): string | undefined {
  if (status !== 200 && status !== 401) return `it is answered with ${status}`;
  const sinceMs = from - (revokedAt ?? Number.POSITIVE_INFINITY);
  if (status === 200) return sinceMs > REVOKE_MS ? `it lets in ${Math.round(sinceMs)} ms after its revoke` : undefined;
  return revokeSentAt === undefined || to < revokeSentAt ? "it is refused, and nobody revoked it" : undefined;
}
