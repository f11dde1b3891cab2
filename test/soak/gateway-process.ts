import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { nextReply } from "../bench/child.ts";
import { NODE_OPTIONS } from "../bench/start-command.ts";
import type { ProbeSample } from "./probe.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PROBE = new URL("probe.ts", import.meta.url).href;

/** A line of the gateway's log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** `parley serve` in a process of its own, with its file in a folder of its own. */
export interface GatewayProcess {
  readonly url: string;
  /** What it has written to stderr. */
  readonly complaints: string;
  /** Puts another file in the place of its file, at once. */
  write(file: string): Promise<void>;
  /** Tells it by SIGHUP to read its file. */
  hangUp(): void;
  /** Asks how it stands; only when the last question was answered. */
  sample(): Promise<ProbeSample>;
  /** Tells it to end, and returns its exit status, or the signal that killed it. */
  terminate(): Promise<number | NodeJS.Signals>;
  /** Kills it, where it still runs, and removes the folder. */
  close(): Promise<void>;
}

/** Starts it, and waits until it listens. `onLine` is told each line of its log. */
export async function startGatewayProcess(file: string, onLine: (line: LogLine) => void): Promise<GatewayProcess> {
  const folder = await mkdtemp(join(tmpdir(), "parley-soak-"));
  const path = join(folder, "parley.yaml");
  await writeFile(path, file);
  const child = fork(join(ROOT, "src/main.ts"), ["serve", "--config", path, "--listen", "127.0.0.1:0"], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"], PARLEY_DATA_DIR: join(folder, "data") },
    execArgv: [...NODE_OPTIONS, "--expose-gc", "--import", PROBE],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    serialization: "advanced",
  });
  const ended = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  const listening = Promise.withResolvers<string>();
  let complaints = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
    const url = /listens on (\S+)/.exec(complaints)?.[1];
    if (url !== undefined) listening.resolve(url);
  });
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on("line", (line) => onLine(JSON.parse(line) as LogLine));
  }
  void ended.then((status) => listening.reject(new Error(`the gateway ended with ${status}: ${complaints}`)));
  const close = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true });
  };
  try {
    const [url] = await Promise.all([listening.promise, nextReply(child, "the gateway")]);
    return {
      url,
      get complaints() {
        return complaints;
      },
      async write(text) {
        await writeFile(`${path}.new`, text);
        await rename(`${path}.new`, path);
      },
      hangUp: () => void child.kill("SIGHUP"),
      async sample() {
        const reply = nextReply(child, "the gateway");
        child.send("sample");
        return (await reply) as ProbeSample;
      },
      async terminate() {
        child.kill("SIGTERM");
        return ended;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
