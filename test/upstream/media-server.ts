/** An https server with a certificate of its own, for what fetches media. It is closed after the test. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import https from "node:https";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { afterEach } from "vitest";

const fixture = (name: string): string =>
  readFileSync(new URL(`../server/fixtures/localhost-${name}.pem`, import.meta.url), "utf8");
const IDENTITY = { key: fixture("key"), cert: fixture("cert") };

tls.setDefaultCACertificates([...tls.getCACertificates("default"), IDENTITY.cert]);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

export interface MediaServer {
  /** Its address, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Paths that were asked for, in order. */
  readonly paths: string[];
  /** Headers of the last request. */
  headers(): Readonly<Record<string, unknown>>;
  /** Connections that were made, TLS or not. */
  connections(): number;
  /** Resolves when as many connections are closed. */
  closed(count: number): Promise<void>;
}

/** Serves on a free port of a loopback address. */
export async function serveMedia(
  handler: (path: string, response: import("node:http").ServerResponse) => unknown,
  host = "127.0.0.1",
): Promise<MediaServer> {
  const paths: string[] = [];
  let headers: Readonly<Record<string, unknown>> = {};
  let connections = 0;
  let closed = 0;
  const server = https.createServer(IDENTITY, (request, response) => {
    headers = request.headers;
    paths.push(request.url ?? "");
    handler(request.url ?? "", response);
  });
  server.on("connection", (socket) => {
    connections++;
    socket.on("close", () => {
      closed++;
      server.emit("gone");
    });
  });
  server.listen(0, host);
  await once(server, "listening");
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    paths,
    headers: () => headers,
    connections: () => connections,
    closed: async (count) => {
      while (closed < count) await once(server, "gone");
    },
  };
}
