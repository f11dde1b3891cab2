import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const BUF = join(ROOT, "node_modules/.bin/buf");

/** What a run of `buf curl` came to. */
export interface BufCurlResult {
  /** 0, or the code of gRPC times eight; less than eight is a wrong use of the program. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `buf curl` in the project's folder. */
export async function runBufCurl(...args: string[]): Promise<BufCurlResult> {
  const child = spawn(BUF, ["curl", ...args], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [status] = (await once(child, "close")) as [number];
  return { status, stdout, stderr };
}

/** Reads what `buf curl` prints: one indented JSON object after another. */
export function readMessages(stdout: string): unknown[] {
  return stdout
    .split(/(?<=^\})\n/m)
    .filter((text) => text.trim() !== "")
    .map((text) => JSON.parse(text) as unknown);
}
