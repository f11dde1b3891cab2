import { join, resolve } from "node:path";
import { freePort, type Server, startProgram } from "./program.ts";

/** What the peer is called in the table. */
export const PEER_NAME = "Portkey";

/**
 * Starts Portkey's gateway of the folder that it is installed in: `npm install @portkey-ai/gateway@1.15.2 hono@4.9.7
 * @hono/node-server@1.13.5`, with both also in the `overrides` of package.json. With newer ones it answers every stream with 500.
 */
export async function startPeer(folder: string): Promise<Server> {
  const port = await freePort();
  const program = join(resolve(folder), "node_modules/@portkey-ai/gateway/build/start-server.js");
  return await startProgram({
    name: PEER_NAME,
    args: [program, "--headless", `--port=${port}`],
    cwd: folder,
    env: { PATH: process.env["PATH"], NODE_ENV: "production" },
    port,
    isProbed: false,
  });
}

/** The headers that tell it where the upstream is. */
export const peerHeaders = (upstreamPort: number): Readonly<Record<string, string>> => ({
  "x-portkey-provider": "openai",
  "x-portkey-custom-host": `http://127.0.0.1:${upstreamPort}/v1`,
});
