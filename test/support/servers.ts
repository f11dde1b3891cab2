import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Servers that tests can do with, where the machine has them; "redis-node" is one for a cluster, of which it knows nothing yet. */
export type ServerKind = "postgres" | "redis" | "redis-node";

/** A server of our own, on a free port, with its files in a folder of its own. */
export interface TestServer {
  /** "postgres://…" of a user who may create databases, or "redis://…". */
  readonly url: string;
  /** Where its files are. */
  readonly folder: string;
  /** Stops it and removes its files; both happen, too, when this process ends without. */
  stop(): Promise<void>;
}

/** Starts a server; undefined where the machine has none of that kind. */
export async function startServer(kind: ServerKind): Promise<TestServer | undefined> {
  const keeper = spawn(process.execPath, [join(import.meta.dirname, "server-keeper.ts"), kind], {
    stdio: ["pipe", "pipe", "inherit"],
    // In a group of its own, so that Ctrl-C does not reach the server before its keeper.
    detached: true,
  });
  const exited = once(keeper, "exit");
  const stop = async (): Promise<void> => {
    keeper.stdin.end();
    await exited;
  };
  const [line] = (await Promise.race([
    once(createInterface({ input: keeper.stdout }), "line"),
    exited.then(([code]) => Promise.reject(new Error(`the keeper of ${kind} ended with ${code}`))),
  ])) as [string];
  const said = JSON.parse(line) as Pick<TestServer, "url" | "folder"> | { readonly missing: string };
  if ("url" in said) return { ...said, stop };
  await stop();
  return undefined;
}
