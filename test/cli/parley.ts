import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { NODE_FLAGS } from "../bench/start-command.ts";
import { createFolder } from "../config/folder.ts";
import { ROOT } from "../support/commands.ts";

/** What runs the command as npm's scripts do, without its arguments. `checkout`: the project's folder, or that of a copy. */
export const commandOf = (checkout: string): readonly [program: string, ...args: string[]] => [
  process.execPath,
  ...NODE_FLAGS,
  join(checkout, "src/parley.mjs"),
];

/** The command, running. */
export interface Parley {
  readonly child: ChildProcess;
  /** What it has written so far. */
  readonly out: { stdout: string; stderr: string };
  /** Resolves when it has ended, with its exit status, or the signal that killed it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Resolves with the match when one of its outputs has it; rejects when it ends without. */
  until(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray>;
}

/** Where the command runs; only these variables and PATH are in its environment. */
export interface ParleyOptions {
  /** The project's folder, where it is not this one. */
  readonly checkout?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts `parley` with these arguments, as a process of its own; it is killed when the test ends. Without a folder it has an empty one: in
 * that of the project may be what a gateway keeps that somebody has tried.
 */
export function startParley(
  args: readonly string[],
  { checkout = ROOT, cwd = createFolder(), env = {} }: ParleyOptions = {},
): Parley {
  const [program, ...leading] = commandOf(checkout);
  const child = spawn(program, [...leading, ...args], {
    cwd,
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const out = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    out.stderr += text;
  });
  const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  return {
    child,
    out,
    ended,
    until: async (stream, pattern) => {
      const output = child[stream];
      for (;;) {
        const match = pattern.exec(out[stream]);
        if (match !== null) return match;
        const status = await Promise.race([once(output, "data").then(() => undefined), ended]);
        if (status !== undefined && !pattern.test(out[stream])) {
          throw new Error(`ended with ${status} before ${pattern}:\n${out.stdout}${out.stderr}`);
        }
      }
    },
  };
}

/** Runs `parley` to its end. */
export async function runParley(
  args: readonly string[],
  options?: ParleyOptions,
): Promise<{ status: number | NodeJS.Signals; stdout: string; stderr: string }> {
  const { ended, out } = startParley(args, options);
  return { status: await ended, ...out };
}
