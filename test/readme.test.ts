/** What the README says: its commands are run, its examples are the files. */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { ROOT, runCommand, type StartedByNpm, startByNpm } from "./support/commands.ts";

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
];

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
  const needsCurl = ({ command }: { command: string }): boolean => command.startsWith("curl ");
  const answers = async ({ command, printed }: { command: string; printed: RegExp }): Promise<void> => {
    expect(command).toContain("127.0.0.1:8080");
    const { host } = new URL(started.url);
    const { status, stdout, stderr } = await runCommand(command.replaceAll("127.0.0.1:8080", host));
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(printed);
  };
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
