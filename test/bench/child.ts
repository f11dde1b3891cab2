import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Reply } from "./child-side.ts";
import { type Place, pinned } from "./pin.ts";
import { NODE_OPTIONS } from "./start-command.ts";

/** A process of the bench that answers questions. */
export interface Child {
  readonly pid: number;
  /** Asks, and waits for the answer. To be called only when the last question was answered. Rejects when the child failed. */
  ask(question: unknown): Promise<unknown>;
  end(): Promise<void>;
}

/** How a process is started, besides its file. */
export interface ChildOptions {
  readonly nodeFlags?: readonly string[];
  readonly args?: readonly string[];
  /** What CPU it keeps to; undefined: to none. */
  readonly place?: Place;
}

/** Starts a file of this folder in a process of its own, and waits until it is ready. Its output is dropped, its errors are shown. */
export async function startChild(
  file: string,
  { nodeFlags = [], args = [], place }: ChildOptions = {},
): Promise<Child> {
  const [command = process.execPath, ...words] = [
    ...(place === undefined ? [] : pinned(place)),
    process.execPath,
    ...NODE_OPTIONS,
    ...nodeFlags,
  ];
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execPath: command,
    execArgv: words,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    serialization: "advanced",
  });
  await nextReply(child, file);
  return {
    pid: child.pid as number,
    ask: (question) => askChild(child, file, question),
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
    },
  };
}

/** Asks a child of that name, and waits for the answer. */
export function askChild(child: ChildProcess, name: string, question: unknown): Promise<unknown> {
  const reply = nextReply(child, name);
  child.send(question as object);
  return reply;
}

/** The next answer of a child. Rejects when it failed, or ended. */
export function nextReply(child: ChildProcess, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const died = (code: number | null, signal: NodeJS.Signals | null): void =>
      reject(new Error(`${name} ended with ${code ?? signal}`));
    child.once("exit", died);
    child.once("message", (reply) => {
      child.off("exit", died);
      const said = reply as Reply;
      if ("error" in said) reject(new Error(`${name}: ${said.error}`));
      else resolve(said.value);
    });
  });
}
