import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Family, Recording } from "../recordings/recordings.ts";

/** How a body is cut into the pieces in which it is sent. */
export type Cut =
  | { readonly kind: "whole" }
  /** Pieces of that many bytes. */
  | { readonly kind: "every"; readonly bytes: number }
  /** As the recording came; whole where nobody noted it. */
  | { readonly kind: "recorded" }
  /** Two pieces, the first with that many bytes. */
  | { readonly kind: "at"; readonly position: number };

/** A request that the server saw. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The parsed body; undefined where there was none. */
  readonly body: unknown;
}

/** Stands in for all providers: answers with recordings, byte for byte. The model of a request names the recording. */
export interface ReplayServer {
  /** Base URL of a family, as a provider or an SDK is configured with it. */
  baseUrl(family: Family): string;
  /** How bodies are cut from now on; whole at first. */
  cut: Cut;
  /** All requests so far, the oldest first. */
  readonly requests: readonly SeenRequest[];
  close(): Promise<void>;
}

/** Below the server's root, where each family's paths begin. */
const MOUNTS: Readonly<Record<Family, string>> = {
  openai: "/openai/v1",
  compatible: "/compatible/v1",
  anthropic: "/anthropic",
  google: "/google",
};

/** Of the recorded headers, those that belong to the connection or the encoding of then. */
const NOT_REPLAYED = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "date",
  "keep-alive",
  "transfer-encoding",
  "alt-svc",
]);

/** Pieces that are handed to the socket before anybody else gets a turn. */
const PIECES_A_TURN = 128;

/** Starts a server of these recordings on a free port of the loopback interface. */
export async function startReplayServer(recordings: readonly Recording[]): Promise<ReplayServer> {
  const requests: SeenRequest[] = [];
  const state: { cut: Cut } = { cut: { kind: "whole" } };
  const server = createServer(async (request, response) => {
    const bytes: Buffer[] = [];
    for await (const piece of request) bytes.push(piece as Buffer);
    const text = Buffer.concat(bytes).toString("utf8");
    const { method = "", url = "", headers } = request;
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    requests.push({ method, url, headers, body });
    const recording = findRecording(recordings, method, new URL(url, "http://replay").pathname, body);
    if (recording === undefined) return void response.writeHead(404).end(`no recording for ${method} ${url}`);
    await replay(recording, state.cut, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    baseUrl: (family: Family) => `http://127.0.0.1:${port}${MOUNTS[family]}`,
    requests,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

const PATHS = {
  openai: /^\/openai\/v1\/chat\/completions$/,
  compatible: /^\/compatible\/v1\/chat\/completions$/,
  anthropic: /^\/anthropic\/v1\/messages$/,
  google: /^\/google\/v1(?:beta)?\/models\/([^:/]+):(?:g|streamG)enerateContent$/,
} as const;

function findRecording(
  recordings: readonly Recording[],
  method: string,
  path: string,
  body: unknown,
): Recording | undefined {
  if (method !== "POST") return undefined;
  for (const family of Object.keys(PATHS) as Family[]) {
    const match = PATHS[family].exec(path);
    if (match === null) continue;
    const model = match[1] === undefined ? (body as { model?: unknown }).model : decodeURIComponent(match[1]);
    return recordings.find(({ provider, name }) => provider === family && name === model);
  }
  return undefined;
}

async function replay(recording: Recording, cut: Cut, response: ServerResponse): Promise<void> {
  const headers = Object.entries(recording.headers).filter(([name]) => !NOT_REPLAYED.has(name.toLowerCase()));
  response.setHeader("content-type", recording.streaming ? "text/event-stream" : "application/json");
  for (const [name, value] of headers) response.setHeader(name, value);
  response.writeHead(recording.status);
  response.socket?.setNoDelay(true);
  let count = 0;
  for (const piece of cutBody(recording, cut)) {
    if (response.destroyed) return;
    // Each write is a chunk of its own for the reader, however the socket packs them.
    const isFull = !response.write(piece);
    if (isFull || ++count % PIECES_A_TURN === 0 || cut.kind !== "every") await nextTurn();
  }
  response.end();
}

/** The pieces of a body. */
export function cutBody({ body, pieces }: Recording, cut: Cut): Uint8Array[] {
  switch (cut.kind) {
    case "whole":
      return body.length === 0 ? [] : [body];
    case "every":
      return slices(body, new Array<number>(Math.ceil(body.length / cut.bytes)).fill(cut.bytes));
    case "recorded":
      return slices(body, pieces ?? [body.length]);
    case "at":
      return slices(body, [cut.position, body.length - cut.position]);
    default:
      return cut satisfies never;
  }
}

function slices(body: Buffer, lengths: readonly number[]): Uint8Array[] {
  let start = 0;
  return lengths
    .map((length) => {
      const piece = body.subarray(start, start + length);
      start += length;
      return piece;
    })
    .filter((piece) => piece.length > 0);
}
