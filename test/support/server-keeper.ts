/**
 * A program that starts one server and keeps it until its standard input ends, which it does however the process that holds the other end
 * ends. Then it stops the server and removes its files. It writes one line of JSON: `{"url":…,"folder":…}`, or `{"missing":…}` and ends.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { accessSync, chownSync, constants, globSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Who servers run as: PostgreSQL refuses to be root. */
interface User {
  readonly uid?: number;
  readonly gid?: number;
}

const KEEP_TRYING_MS = 30_000;
const kind = process.argv[2];

function find(name: string, folders: readonly string[] = []): string | undefined {
  const paths = [...(process.env["PATH"] ?? "").split(delimiter), ...folders].map((folder) => join(folder, name));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function unprivileged(): User {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string, user: string): number =>
    Number(execFileSync("id", [flag, user], { stdio: ["ignore", "pipe", "ignore"] }));
  for (const user of ["postgres", "nobody"])
    try {
      return { uid: id("-u", user), gid: id("-g", user) };
    } catch {
      // There is no such user.
    }
  return {};
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
      .on("error", reject)
      .listen(0, "127.0.0.1", () => {
        const address = server.address();
        server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
      });
  });
}

const canConnect = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    }).on("error", () => resolve(false));
  });

async function awaitPort(child: ChildProcess, port: number): Promise<void> {
  const end = Date.now() + KEEP_TRYING_MS;
  while (!(await canConnect(port))) {
    if (child.exitCode !== null) throw new Error(`${kind} ended with ${child.exitCode}`);
    if (Date.now() > end) throw new Error(`${kind} does not listen`);
    await sleep(20);
  }
}

/** How to start a server. */
interface Plan {
  readonly command: string;
  readonly args: readonly string[];
  readonly url: string;
}

function planPostgres(folder: string, port: number, user: User): Plan | undefined {
  const folders = globSync("/usr/lib/postgresql/*/bin").sort().reverse();
  const initdb = find("initdb", folders);
  const command = find("postgres", folders);
  if (initdb === undefined || command === undefined) return undefined;
  const data = join(folder, "data");
  execFileSync(initdb, ["-D", data, "-U", "parley", "-A", "trust", "-E", "UTF8", "-N", "--no-instructions"], {
    ...user,
    cwd: folder,
    stdio: "ignore",
  });
  const settings = ["fsync=off", "max_connections=200", "shared_buffers=32MB"].flatMap((it) => ["-c", it]);
  return {
    command,
    args: ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", "", ...settings],
    url: `postgres://parley@127.0.0.1:${port}/postgres`,
  };
}

function planRedis(folder: string, port: number, more: readonly string[] = []): Plan | undefined {
  const command = find("valkey-server") ?? find("redis-server");
  if (command === undefined) return undefined;
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  return { command, args: [...args, ...more], url: `redis://127.0.0.1:${port}` };
}

/** Nodes of a cluster speak with each other on a port of their own. */
async function planRedisNode(folder: string, port: number): Promise<Plan | undefined> {
  return planRedis(folder, port, ["--cluster-enabled", "yes", "--cluster-port", String(await freePort())]);
}

function planOf(folder: string, port: number, user: User): Plan | undefined | Promise<Plan | undefined> {
  if (kind === "postgres") return planPostgres(folder, port, user);
  return kind === "redis-node" ? planRedisNode(folder, port) : planRedis(folder, port);
}

const say = (message: object): unknown => process.stdout.write(`${JSON.stringify(message)}\n`);

async function main(): Promise<void> {
  const user = unprivileged();
  const folder = mkdtempSync(join(tmpdir(), `parley-${kind}-`));
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  let child: ChildProcess | undefined;
  // Heard before anything is started: the other end may be gone by then.
  process.stdin.resume();
  const over = new Promise<void>((resolve) => {
    process.stdin.once("end", resolve).once("error", resolve);
  });
  try {
    const port = await freePort();
    const plan = await planOf(folder, port, user);
    if (plan === undefined) {
      say({ missing: kind });
      return;
    }
    child = spawn(plan.command, plan.args, { ...user, cwd: folder, stdio: "ignore" });
    await Promise.race([awaitPort(child, port), over]);
    say({ url: plan.url, folder });
    await over;
  } finally {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child?.once("exit", resolve));
      // To PostgreSQL: end at once, and cut connections. To Redis: end.
      child.kill(kind === "postgres" ? "SIGQUIT" : "SIGTERM");
      await gone;
    }
    rmSync(folder, { recursive: true, force: true });
    process.stdin.destroy();
  }
}

// Who presses Ctrl-C means the tests; the end of the standard input follows.
process.on("SIGINT", () => undefined);
await main();
