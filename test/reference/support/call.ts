import { expect } from "vitest";
import { collect } from "../../support/collect.ts";
import { readEvents } from "../../support/sse.ts";

/** Headers of the documented calls. */
const HEADERS = { authorization: "Bearer sk-your-api-key", "content-type": "application/json" };

/** Sends a body as it stands in a document, or as it is made of one. */
export function post(url: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(url, { method: "POST", headers: { ...HEADERS, ...headers }, body });
}

/** Fetches with the documented headers. */
export const get = (url: string): Promise<Response> => fetch(url, { headers: HEADERS });

/** The JSON of an answer that went well. */
export async function readAnswer<T>(response: Response): Promise<T> {
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
  return (await response.json()) as T;
}

/** OpenAI's error object. */
export interface DocumentedError {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

/** The error of an answer that did not go well. */
export async function readError(response: Response): Promise<DocumentedError> {
  expect(response.headers.get("content-type")).toBe("application/json");
  const { error } = (await response.json()) as { error: DocumentedError };
  expect(Object.keys(error).sort()).toEqual(["code", "message", "param", "type"]);
  return error;
}

/** A chunk of a stream, as far as the tests read it. */
export interface DocumentedChunk {
  readonly id: string;
  readonly object: string;
  readonly choices: readonly {
    readonly index: number;
    readonly delta: { readonly role?: string; readonly content?: string | null; readonly tool_calls?: unknown[] };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: object | null;
}

/** The chunks of a stream that went well: events of data only, with "[DONE]" as the last one. */
export async function readChunks(response: Response): Promise<DocumentedChunk[]> {
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
  const events = await collect(readEvents(response.body as ReadableStream<Uint8Array>));
  expect(events.indexOf("[DONE]")).toBe(events.length - 1);
  return events.slice(0, -1).map((event) => JSON.parse(event) as DocumentedChunk);
}

/** The text of one choice of a stream. */
export const textOf = (chunks: readonly DocumentedChunk[], index = 0): string =>
  chunks
    .flatMap(({ choices }) => choices)
    .filter((choice) => choice.index === index)
    .map(({ delta }) => delta.content ?? "")
    .join("");
