import { createHash } from "node:crypto";

/** Ids that every family takes, and that go through unchanged (OpenAI takes at most 40 characters). */
const PORTABLE = /^[A-Za-z0-9_-]{1,40}$/;

/** Whether an id of a tool call can be given to clients as it is: they can put it into a request to any family. */
export const isPortableId = (id: string | undefined): id is string => id !== undefined && PORTABLE.test(id);

/** How a family wants ids of tool calls. */
export interface IdForm {
  /** Ids that it takes. */
  readonly pattern: RegExp;
  /** Characters that it does not take; they are left out of the readable part. */
  readonly strange: RegExp;
  /** Most characters of the readable part before the 8 digits of the hash. */
  readonly head: number;
  /** What stands between the two. */
  readonly joint: string;
}

/** Anthropic's, and OpenAI's: 40 characters of letters, digits, "_" and "-". */
export const COMMON_IDS: IdForm = { pattern: PORTABLE, strange: /[^A-Za-z0-9_-]+/g, head: 31, joint: "_" };

/** What LiteLLM hides in ids: the signature of a thought. */
const HIDDEN_SIGNATURE = /__thought__.*$/s;

/**
 * An id as a family takes it: unchanged where it can be; else a readable part and 8 hexadecimal digits of its SHA-256, so that calls
 * and results stay linked, and the same request always has the same ids.
 */
export function renderId(id: string, form: IdForm): string {
  const plain = id.replace(HIDDEN_SIGNATURE, "");
  if (form.pattern.test(plain)) return plain;
  const hash = createHash("sha256").update(plain).digest("hex");
  const head = plain.replace(form.strange, "").slice(0, form.head);
  return `${head || "call".slice(0, form.head)}${form.joint}${hash.slice(0, 8)}`;
}
