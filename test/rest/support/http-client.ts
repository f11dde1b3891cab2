import http from "node:http";
import { onTestFinished } from "vitest";

/** A request, written as it is: neither path nor headers are changed. */
export interface TestRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, with its content-type. */
  readonly body?: object | string | Buffer;
}

/** An answer, whole. */
export interface TestAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  /** The text, parsed; undefined where it is no JSON. */
  readonly json: unknown;
}

/** Sends a request on a connection of its own, and gives the answer as soon as its head is there. */
export function open(port: number, { method, path, headers, body }: TestRequest): Promise<http.IncomingMessage> {
  const isJson = typeof body === "object" && !Buffer.isBuffer(body);
  const bytes = isJson ? JSON.stringify(body) : body;
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: "127.0.0.1",
        port,
        path,
        agent: false,
        method: method ?? (body === undefined ? "GET" : "POST"),
        headers: { ...(isJson ? { "content-type": "application/json" } : {}), ...headers },
      },
      resolve,
    );
    request.on("error", reject);
    onTestFinished(() => void request.destroy());
    request.end(bytes);
  });
}

/** Reads what is left of an answer. */
export async function readText(answer: http.IncomingMessage): Promise<string> {
  answer.setEncoding("utf8");
  let text = "";
  for await (const chunk of answer) text += String(chunk);
  return text;
}

/** Sends a request and reads the answer. */
export async function send(port: number, request: TestRequest): Promise<TestAnswer> {
  const answer = await open(port, request);
  const text = await readText(answer);
  return { status: answer.statusCode ?? 0, headers: answer.headers, text, json: parse(text) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not every answer is JSON.
    return undefined;
  }
}
