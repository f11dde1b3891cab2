/** Runs once beside all test files: starts a server when the first of them asks for it, and stops it after the last. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { type ServerKind, startServer, type TestServer } from "./servers.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Where the servers are asked for: its path is the kind, its answer the address of one, or 404. */
    readonly servers: string;
  }
}

export default async function serveServers(project: TestProject): Promise<() => Promise<void>> {
  const started = new Map<string, Promise<TestServer | undefined>>();
  const front = createServer((request, response) => {
    const kind = (request.url ?? "").slice(1);
    const server = started.get(kind) ?? startServer(kind as ServerKind);
    started.set(kind, server);
    server.then(
      (it) => response.writeHead(it === undefined ? 404 : 200).end(it?.url),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => {
    front.listen(0, "127.0.0.1", resolve);
  });
  project.provide("servers", `http://127.0.0.1:${(front.address() as AddressInfo).port}`);
  return async () => {
    front.close();
    front.closeAllConnections();
    const servers = await Promise.allSettled(started.values());
    await Promise.all(servers.map(async (it) => it.status === "fulfilled" && (await it.value?.stop())));
  };
}
