import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { copyCheckout } from "../support/checkout.ts";
import { median } from "./median.ts";
import { treeCpuMs, treeResidentMb } from "./process-tree.ts";
import { encodeOpenAI } from "./requests.ts";
import { START_ARGUMENTS } from "./start-command.ts";

/** What a start takes, and what a gateway holds that has nothing to do. */
export interface StartFigures {
  /** CPU time until the banner, in ms, when V8 has compiled nothing of the program before. */
  readonly coldCpuMs: number;
  /** The same for every later start; a median. */
  readonly warmCpuMs: number;
  readonly warmWallMs: number;
  /** Resident memory, in megabytes, 5 s after the banner, when V8 has compiled nothing before. */
  readonly coldIdleMb: number;
  /** The same for every later start. */
  readonly idleMb: number;
  /** The same after 100 calls more, one after the other, and 5 s. */
  readonly afterCallsMb: number;
}

/** Starts the gateway as `npm start` does, once with nothing compiled and then `times` times, in a checkout that was bundled. */
export async function measureStart(times: number, idleSeconds = 5): Promise<StartFigures> {
  // What is compiled is kept beside the bundle.
  const { folder, remove } = copyCheckout();
  try {
    execFileSync(process.execPath, [join(folder, ".ci/bundle.mjs")]);
    const cold = await start(folder);
    await sleep(idleSeconds * 1000);
    const coldIdleMb = treeResidentMb(cold.pid);
    await cold.end();
    const warm: Started[] = [];
    for (let time = 1; time < times; time++) {
      const started = await start(folder);
      await started.end();
      warm.push(started);
    }
    const last = await start(folder);
    warm.push(last);
    try {
      await sleep(idleSeconds * 1000);
      const idleMb = treeResidentMb(last.pid);
      for (let call = 0; call < 100; call++) await callOnce(last.url);
      await sleep(idleSeconds * 1000);
      return {
        coldCpuMs: cold.cpuMs,
        warmCpuMs: median(warm.map(({ cpuMs }) => cpuMs)),
        warmWallMs: median(warm.map(({ wallMs }) => wallMs)),
        coldIdleMb,
        idleMb,
        afterCallsMb: treeResidentMb(last.pid),
      };
    } finally {
      await last.end();
    }
  } finally {
    remove();
  }
}

interface Started {
  readonly pid: number;
  readonly url: string;
  readonly cpuMs: number;
  readonly wallMs: number;
  end(): Promise<void>;
}

async function start(folder: string): Promise<Started> {
  const from = performance.now();
  const child = spawn(process.execPath, START_ARGUMENTS, {
    cwd: folder,
    env: { ...process.env, PARLEY_LISTEN: "127.0.0.1:0" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const pid = child.pid as number;
  const url = await readUrl(child);
  return {
    pid,
    url,
    cpuMs: treeCpuMs(pid),
    wallMs: performance.now() - from,
    async end() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** The URL in the first line of the banner. */
async function readUrl({ stderr }: ChildProcess): Promise<string> {
  let text = "";
  for await (const data of stderr ?? []) {
    text += String(data);
    const url = /listens on (\S+)/.exec(text)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`the gateway did not start: ${text}`);
}

async function callOnce(url: string): Promise<void> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: encodeOpenAI("large"),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`the gateway answered with status ${response.status}`);
}
