import type { UpstreamAnswer } from "./client.ts";

/** What the type of a body says that it is. "other": nothing that is known, or nothing at all; it is tried as what is due. */
export type ContentKind = "json" | "events" | "html" | "other";

/** Reads the `content-type` of an answer. */
export function contentKind(answer: Pick<UpstreamAnswer, "header">): ContentKind {
  const said = answer.header("content-type");
  const type = said === "application/json" ? said : (said?.split(";")[0]?.trim().toLowerCase() ?? "");
  if (type === "text/event-stream") return "events";
  if (type === "application/json" || type.endsWith("+json")) return "json";
  return type === "text/html" || type === "application/xhtml+xml" ? "html" : "other";
}

/** Whether the body is still encoded: the client has undone the encodings that it knows, and taken the header away. */
export const isEncoded = (answer: Pick<UpstreamAnswer, "header">): boolean =>
  (answer.header("content-encoding") ?? "identity").toLowerCase() !== "identity";
