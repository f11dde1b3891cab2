import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { NODE_FLAGS } from "../bench/start-command.ts";
import { ROOT } from "./commands.ts";

/** One of several gateways that share their state: `parley serve` in a process of its own, on the same port however often it is started. */
export interface Replica {
  readonly name: string;
  readonly url: string;
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  /** Starts it, where it does not run. */
  start(): void;
  /** Resolves when it listens, also where it is killed and started again before; rejects when it has ended by itself. */
  ready(): Promise<void>;
  /** Kills it (SIGKILL), and resolves when it is gone. */
  kill(): Promise<void>;
  /** Tells it to end (SIGTERM), and returns its exit status, or the signal that killed it. */
  terminate(): Promise<number | NodeJS.Signals>;
}

/** How one is started. */
export interface ReplicaOptions {
  readonly name: string;
  /** Where its file is written. */
  readonly folder: string;
  /** What is in its file. */
  readonly config: object;
  /** Is told each line of its log. */
  readonly onLine?: (line: Readonly<Record<string, unknown>>) => void;
}

/** One process of a replica. */
interface Life {
  readonly child: ChildProcess;
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Whether it came to listen before it ended. */
  readonly listening: Promise<boolean>;
  readonly complaints: () => string;
  isKilled: boolean;
}

/** Starts one. */
export async function startReplica({ name, folder, config, onLine }: ReplicaOptions): Promise<Replica> {
  const path = join(folder, `${name}.yaml`);
  // JSON is YAML.
  await writeFile(path, JSON.stringify(config));
  const port = await freePort();
  const args = [...NODE_FLAGS, "src/parley.mjs", "serve", "--config", path, "--listen", `127.0.0.1:${port}`];

  const begin = (): Life => {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { PATH: process.env["PATH"] },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const listening = Promise.withResolvers<boolean>();
    let complaints = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaints += text;
      if (complaints.includes("listens on")) listening.resolve(true);
    });
    createInterface({ input: child.stdout }).on("line", (line) => onLine?.(parseLine(line)));
    const ended = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
    void ended.then(() => listening.resolve(false));
    // Who ends in the middle leaves nobody behind.
    const kill = (): void => void child.kill("SIGKILL");
    process.once("exit", kill);
    void ended.then(() => process.off("exit", kill));
    return { child, ended, listening: listening.promise, complaints: () => complaints, isKilled: false };
  };
  let life = begin();

  const end = async (signal: NodeJS.Signals): Promise<number | NodeJS.Signals> => {
    life.isKilled = true;
    life.child.kill(signal);
    return life.ended;
  };
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    get pid() {
      return life.child.pid ?? 0;
    },
    start() {
      if (life.isKilled) life = begin();
    },
    async ready() {
      for (;;) {
        const now = life;
        if ((await now.listening) && now === life && !now.isKilled) return;
        if (!now.isKilled) throw new Error(`${name} ended with ${await now.ended}: ${now.complaints()}`);
        // Between its end and its next start.
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async kill() {
      await end("SIGKILL");
    },
    terminate: () => end("SIGTERM"),
  };
}

/** The end of a line is missing where its writer was killed. */
function parseLine(line: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return { cut: line };
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
