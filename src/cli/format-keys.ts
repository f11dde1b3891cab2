import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Key } from "../gen/parley/keys/v1/keys_service_pb.ts";
import { ScopeSchema } from "../gen/parley/scopes/v1/scopes_pb.ts";
import { enumWords } from "../openai-json/words.ts";

/** Characters that would make a terminal do something, or hide something. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text about a key that was made: its secret, and how it is used. */
export function formatNewKey({ id, name }: Key, secret: string): string {
  return [
    `The key ${id}${name === "" ? "" : ` (${visible(name)})`} was made. Its secret is shown only now:`,
    "",
    `  ${secret}`,
    "",
    "Callers send it with each request:",
    "",
    `  curl http://127.0.0.1:8080/v1/chat/completions -H 'authorization: Bearer ${secret}' -H 'content-type: application/json' \\`,
    `    -d '{"model":"auto","messages":[{"role":"user","content":"Hello"}]}'`,
    "",
    `OpenAI's clients take it as their API key. "parley keys revoke ${id}" ends it.`,
    "",
  ].join("\n");
}

const HEAD = ["id", "secret", "state", "scopes", "name"] as const;

/** A table of keys. `now`: Unix milliseconds. */
export function formatKeys(keys: readonly Key[], now: number): string {
  if (keys.length === 0) return 'There are no keys. "parley keys create" makes one.\n';
  const { wordOf } = enumWords(ScopeSchema);
  const rows = keys.map((key) => [
    key.id,
    key.hint === "" ? "(in the file)" : `${key.hint}…`,
    stateOf(key, now),
    key.scopes.map((scope) => wordOf.get(scope) ?? String(scope)).join(","),
    visible(key.name),
  ]);
  const table = [[...HEAD], ...rows];
  const widths = HEAD.map((_, column) => Math.max(...table.map((row) => (row[column] ?? "").length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

function stateOf({ revokedAt, expiresAt }: Key, now: number): string {
  if (revokedAt !== undefined) return `revoked ${day(timestampMs(revokedAt))}`;
  if (expiresAt === undefined) return "valid";
  const end = timestampMs(expiresAt);
  return `${end <= now ? "expired" : "valid to"} ${day(end)}`;
}

const day = (milliseconds: number): string => new Date(milliseconds).toISOString().slice(0, 10);

/** A name as a terminal may show it. */
const visible = (name: string): string =>
  name.replace(UNSEEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
