import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Folder of the project, where its commands are meant to be typed. */
export const ROOT = resolve(import.meta.dirname, "../..");

/** What a command came to. */
export interface CommandResult {
  readonly status: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** Types a command into a shell, in the project's folder. */
export async function runCommand(command: string, env: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
  const child = spawn("sh", ["-c", command], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals];
  return { status: code ?? signal, stdout, stderr };
}

/** The gateway as npm runs it, on a free port. */
export interface StartedByNpm {
  /** Where it listens, as it says itself. */
  readonly url: string;
  /** Where it keeps what lasts; removed when it has ended. */
  readonly dataDir: string;
  /** Sends a signal to npm alone, as service managers do, or to all of its group, as a terminal does at Ctrl-C. */
  signal(name: NodeJS.Signals, to: "npm" | "group"): void;
  /** Kills what is still running. */
  kill(): void;
  /** Resolves with npm's exit status when it has ended, or with the signal that killed it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/**
 * Starts the gateway as the README says, or by other words to npm, and waits until it listens. Rejects when it does not. `env`: what is
 * in its environment besides.
 */
export async function startByNpm(
  words: readonly string[] = ["start"],
  env: Readonly<Record<string, string>> = {},
): Promise<StartedByNpm> {
  const dataDir = await mkdtemp(join(tmpdir(), "parley-npm-"));
  const child = spawn("npm", words, {
    cwd: ROOT,
    env: { ...process.env, PARLEY_LISTEN: "127.0.0.1:0", PARLEY_DATA_DIR: dataDir, ...env },
    stdio: ["ignore", "ignore", "pipe"],
    detached: true, // A process group of its own.
  });
  const ended = once(child, "close").then(async ([code, signal]) => {
    await rm(dataDir, { recursive: true, force: true });
    return (code ?? signal) as number | NodeJS.Signals;
  });
  const signal: StartedByNpm["signal"] = (name, to) => {
    const { pid } = child;
    if (pid !== undefined) process.kill(to === "group" ? -pid : pid, name);
  };
  let hasEnded = false;
  void ended.finally(() => {
    hasEnded = true;
  });
  const kill = (): void => {
    if (!hasEnded) signal("SIGKILL", "group");
  };
  let said = "";
  const url = new Promise<string>((resolveUrl, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const match = /listens on (http:\S+)\n/.exec(said);
      if (match !== null) resolveUrl(match[1] as string);
    });
    ended.then((status) => reject(new Error(`npm ${words.join(" ")} ended with ${status}:\n${said}`)), reject);
  });
  return { url: await url, dataDir, signal, kill, ended };
}
