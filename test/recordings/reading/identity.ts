import type { Recording } from "../recordings.ts";
import { eventsOf } from "./reading.ts";

/** What an answer says of itself; "" where it says nothing. */
export interface Identity {
  readonly id: string;
  /** The model that answered. */
  readonly model: string;
}

/** What JSON of any of the vendors may have. */
interface Named {
  readonly id?: string | null;
  readonly model?: string | null;
  readonly message?: Named | null;
  readonly responseId?: string;
  readonly modelVersion?: string;
}

/** Reads whose answer a recording is. */
export function readIdentity({ provider, body, streaming }: Recording): Identity {
  const text = body.toString("utf8");
  const isJson = !streaming || /^\s*[[{]/.test(text);
  const all = isJson ? [text] : eventsOf(text).filter((data) => data.trim() !== "[DONE]");
  const named = all
    .flatMap((data) => JSON.parse(data) as Named | Named[])
    .map((json) => {
      if (provider === "google") return { id: json.responseId, model: json.modelVersion };
      return provider === "anthropic" && streaming ? (json.message ?? {}) : json;
    });
  return {
    id: named.map(({ id }) => id ?? "").find((id) => id !== "") ?? "",
    model: named.map(({ model }) => model ?? "").find((model) => model !== "") ?? "",
  };
}
