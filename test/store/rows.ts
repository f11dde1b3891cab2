import { createHash } from "node:crypto";
import type { NewKeyRow } from "../../src/store/keys.ts";
import type { RequestRow } from "../../src/store/requests.ts";

/** A key for tests; its id and hash are its own. */
export const keyRow = (id: string, change: Partial<NewKeyRow> = {}): NewKeyRow => ({
  id,
  name: "a key",
  hash: createHash("sha256").update(id).digest("hex"),
  hint: "sk-parley-abcd",
  scopes: "[1,2]",
  models: "[]",
  limits: null,
  log_content: 0,
  expires_at: null,
  ...change,
});

/** A request for tests. */
export const requestRow = (id: string, change: Partial<RequestRow> = {}): RequestRow => ({
  id,
  at: 1_800_000_000_000,
  request_id: `req_${id}`,
  door: "rest",
  operation: "CreateChatCompletion",
  key_id: "key_a",
  user_agent: "curl/8",
  status: 200,
  reason: 0,
  model: "auto",
  target: "sandbox/eliza",
  attempts: "[]",
  prompt_tokens: 10,
  completion_tokens: 20,
  cached_tokens: null,
  reasoning_tokens: null,
  cost: 3_000_000_000_000,
  first_chunk_ms: 5,
  duration_ms: 50,
  stream: 0,
  run_uid: "",
  params: null,
  completion: null,
  ...change,
});
