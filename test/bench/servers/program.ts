import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { askChild, type Child, nextReply } from "../child.ts";
import { pinned } from "../pin.ts";

/** A server that is measured. */
export interface Server extends Child {
  readonly port: number;
}

/** A program that serves. */
export interface Program {
  /** What it is called in errors. */
  readonly name: string;
  /** What is given to node. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly port: number;
  /** Whether a probe is loaded into it that answers questions. */
  readonly isProbed: boolean;
}

/** Starts a program, and waits until it takes connections. */
export async function startProgram({ name, args, cwd, env, port, isProbed }: Program): Promise<Server> {
  const [command = process.execPath, ...words] = [...pinned("server"), process.execPath, ...args];
  const child = spawn(command, words, {
    cwd,
    env,
    stdio: ["ignore", "ignore", "pipe", ...(isProbed ? ["ipc" as const] : [])],
    serialization: "advanced",
  });
  const exited = once(child, "exit");
  // Where the bench fails, too, nothing of it stays.
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  let complaints = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  if (isProbed) await nextReply(child, name);
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`${name} did not start: ${complaints}`);
    await sleep(20);
  }
  return {
    pid: child.pid as number,
    port,
    ask: (question) => askChild(child, name, question),
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function isListening(port: number): Promise<boolean> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false; // Refused: it is not there yet.
  } finally {
    socket.destroy();
  }
}
