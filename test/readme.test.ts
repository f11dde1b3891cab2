/** What the README says: its commands are run, its examples are the files. */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { ROOT, runCommand, type StartedByNpm, startByNpm } from "./support/commands.ts";
import { startThreeVendors, type ThreeVendors } from "./support/three-vendors.ts";

const README = readFileSync(join(ROOT, "README.md"), "utf8");
const HAS_CURL = spawnSync("curl", ["--version"]).status === 0;

/** The commands of a section: in its blocks of shell, parted by blank lines. */
function commandsOf(section: string): string[] {
  const text = README.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? "";
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) => block.trim().split(/\n\n+/));
}

/** What the first calls print, in their order. */
const PRINTED: readonly RegExp[] = [
  /^\{"object":"chat\.completion",.*"role":"assistant","content":"Hello.*"finish_reason":"stop".*\}$/,
  /^data: \{"object":"chat\.completion\.chunk",[\s\S]*"finish_reason":"stop"[\s\S]*\n\ndata: \[DONE\]\n\n$/,
  /"content": "Hello"[\s\S]*"finishReason": "FINISH_REASON_STOP"/,
  /"text": "Hello[\s\S]*"finishReason": "FINISH_REASON_STOP"/,
  /"content": "Hello"[\s\S]*"finishReason": "FINISH_REASON_STOP"/,
  /x-parley-attempts: sandbox\/fault-503=overloaded;ms=\d+, sandbox\/eliza=succeeded;ms=\d+\r\n[\s\S]*"model":"sandbox\/eliza"/,
];

const needsCurl = ({ command }: { command: string }): boolean => command.startsWith("curl ");

/** Runs a command of the README at the gateway that was started, and looks at what it prints. */
async function printsAt(url: string, command: string, printed: RegExp): Promise<void> {
  expect(command).toContain("127.0.0.1:8080");
  const { host } = new URL(url);
  const { status, stdout, stderr } = await runCommand(command.replaceAll("127.0.0.1:8080", host));
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(printed);
}

describe("the README's start", () => {
  it("is what this file runs", () => {
    expect(commandsOf("Start")).toEqual(["npm ci\nnpm start"]);
  });

  it.each([
    ["npm start", "SIGTERM", "npm"],
    ["npm start", "SIGINT", "group"],
    ["npm run parley -- serve", "SIGTERM", "npm"],
  ] as const)("%s ends with status 0 at %s to %s", async (command, signal, to) => {
    const started = await startByNpm(command.split(" ").slice(1));
    onTestFinished(started.kill);
    started.signal(signal, to);
    expect(await started.ended).toBe(0);
  });
});

describe("the README's calls", () => {
  let started: StartedByNpm;
  beforeAll(async () => {
    started = await startByNpm();
  });
  afterAll(async () => {
    started.kill();
    await started.ended;
  });

  it("are as many as are known here", () => {
    expect(commandsOf("First calls")).toHaveLength(PRINTED.length);
  });

  const calls = commandsOf("First calls").map((command, at) => ({ command, printed: PRINTED[at] ?? /$^/ }));
  const answers = ({ command, printed }: { command: string; printed: RegExp }): Promise<void> =>
    printsAt(started.url, command, printed);
  it.skipIf(!HAS_CURL).each(calls.filter(needsCurl))("curl: $command", answers);
  it.each(calls.filter((call) => !needsCurl(call)))("$command", answers);

  const examples = globSync("examples/*.ts", { cwd: ROOT }).sort();
  it.each(examples)("%s prints the answer", async (path) => {
    const question = { model: "auto", messages: [{ role: "user", content: "Tell me about streaming" }] };
    const response = await fetch(`${started.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(question),
    });
    const answer = (await response.json()) as { choices: { message: { content: string } }[] };
    const { status, stdout, stderr } = await runCommand(`npx tsx ${path}`, { PARLEY_URL: started.url });
    expect(status, stderr).toBe(0);
    expect(stdout).toBe(`${answer.choices[0]?.message.content}\n`);
  });

  it("shows every example as the file has it", () => {
    const shown = [...README.matchAll(/^<!-- (\S+) -->\n```ts\n([\s\S]*?)^```$/gm)].map(([, path, code]) => [
      path,
      code,
    ]);
    expect(shown.map(([path]) => path).sort()).toEqual(examples);
    for (const [path = "", code] of shown) expect(code, path).toBe(readFileSync(join(ROOT, path), "utf8"));
  });
});

describe("the README's keys and runs", () => {
  const [create = "", ...blocks] = commandsOf("Keys, limits and runs");
  const commands = blocks.flatMap((block) => block.split(/\n(?=curl )/));
  let started: StartedByNpm;
  beforeAll(async () => {
    started = await startByNpm();
  });
  afterAll(async () => {
    started.kill();
    await started.ended;
  });

  it.skipIf(!HAS_CURL)("make a key beside the gateway, queue a run with it, and watch that", async () => {
    const { host } = new URL(started.url);
    const run = async (command: string, env: Readonly<Record<string, string>>): Promise<string> => {
      const { status, stdout, stderr } = await runCommand(command.replaceAll("127.0.0.1:8080", host), env);
      expect(status, stderr).toBe(0);
      return stdout;
    };
    // Its first call opens the database, and the key closes the gateway.
    expect((await fetch(`${started.url}/v1/models`)).status).toBe(200);
    const made = await run(create, { PARLEY_DATA_DIR: started.dataDir });
    const KEY = /sk-parley-[\w-]{43}/.exec(made)?.[0] ?? "";
    await expect.poll(async () => (await fetch(`${started.url}/v1/models`)).status, { timeout: 30_000 }).toBe(401);
    const [queue = "", watch = ""] = commands;
    const { uid: RUN } = JSON.parse(await run(queue, { KEY })) as { readonly uid: string };
    expect(await run(watch, { KEY, RUN })).toMatch(
      /^id: 1\ndata: \{"object":"chat\.completion\.chunk"[\s\S]*\nevent: run\ndata: \{.*"status":"completed"[\s\S]*\n\ndata: \[DONE\]\n\n$/,
    );
    expect(commands).toHaveLength(2);
  });
});

describe("the README's calls of real models", () => {
  const [start = "", ...commands] = commandsOf("Put real models behind it");
  /** What the calls print, in their order. */
  const printed: readonly RegExp[] = [
    /"model":"openai\/gpt-4o-mini".*"content":"Hello from OpenAI".*"finish_reason":"stop"/,
    /^data: .*"content":"Hello from Google"[\s\S]*"finish_reason":"stop"[\s\S]*\n\ndata: \[DONE\]\n\n$/,
    /"content": "Hello from Anthropic"[\s\S]*"finishReason": "FINISH_REASON_STOP"/,
    /^\{"provider":"anthropic",.*"path":"seed","action":"dropped".*"upstream_request":\{"method":"POST","url":"[^"]*\/v1\/messages"/,
  ];

  let vendors: ThreeVendors;
  let started: StartedByNpm;
  beforeAll(async () => {
    vendors = await startThreeVendors();
    const keys = Object.fromEntries([...start.matchAll(/(\w+)=…/g)].map(([, name]) => [name, "s3cr3t"]));
    started = await startByNpm(["start"], { ...keys, ...vendors.env });
  });
  afterAll(async () => {
    started.kill();
    await started.ended;
    await vendors.close();
  });

  it("start with a key for each provider, and are as many as are known here", () => {
    expect(start).toMatch(/^(?:[A-Z_]+=… )+npm start$/);
    expect(commands).toHaveLength(printed.length);
  });

  const calls = commands.map((command, at) => ({ command, printed: printed[at] ?? /$^/ }));
  const answers = (call: { command: string; printed: RegExp }): Promise<void> =>
    printsAt(started.url, call.command, call.printed);
  it.skipIf(!HAS_CURL).each(calls.filter(needsCurl))("curl: $command", answers);
  it.each(calls.filter((call) => !needsCurl(call)))("$command", answers);
});
