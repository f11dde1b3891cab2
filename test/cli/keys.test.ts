import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createIdentity } from "../../src/admission/identity.ts";
import { createStoredKeys } from "../../src/admission/stored-keys.ts";
import { formatKeys } from "../../src/cli/format-keys.ts";
import { runProgram } from "../../src/cli/program.ts";
import { Scope } from "../../src/gen/parley/scopes/v1/scopes_pb.ts";
import { createLateStore } from "../../src/store/late-store.ts";
import { createFolder } from "../config/folder.ts";
import { createDatabase, serverUrl } from "../support/use-servers.ts";
import { runParley } from "./parley.ts";

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs command lines inside the test, in one folder. */
function shell(files: Readonly<Record<string, string>> = {}, env: Readonly<Record<string, string>> = {}) {
  const cwd = createFolder(files);
  const run = async (...args: string[]): Promise<Outcome> => {
    const out = { stdout: "", stderr: "" };
    const status = await runProgram(["keys", ...args], {
      env,
      cwd,
      stdout: { write: (text) => (out.stdout += text) },
      stderr: { write: (text) => (out.stderr += text) },
    });
    return { status, ...out };
  };
  const json = async (...args: string[]): Promise<unknown> => JSON.parse((await run(...args, "--json")).stdout);
  return { cwd, run, json };
}

interface Made {
  readonly key: { readonly id: string };
  readonly secret: string;
}

const SECRET = /sk-parley-[\w-]{43}/;

describe("parley keys create", () => {
  it("prints the secret once, and how it is used", async () => {
    const { run } = shell();
    const { status, stdout, stderr } = await run("create", "--name", "ci");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(
      /^The key key_\w{24} \(ci\) was made\. Its secret is shown only now:\n\n {2}sk-parley-[\w-]{43}\n/,
    );
    const secret = SECRET.exec(stdout)?.[0] ?? "";
    expect(stdout).toContain(`-H 'authorization: Bearer ${secret}'`);
    const listed = await run("list");
    expect(listed.stdout).toContain(`${secret.slice(0, 14)}…`);
    expect(listed.stdout).not.toMatch(SECRET);
  });

  it("takes every option", async () => {
    const { json } = shell();
    const options = [
      ["--name", "team 'a'; --"],
      ["--scope", "chat", "--scope", "admin"],
      ["--model", "openai/*", "--model", "sandbox/eliza"],
      ["--requests-per-minute", "600", "--tokens-per-minute", "5000000000"],
      ["--concurrent", "3", "--concurrent-streams", "2"],
      ["--budget", "2.5", "--budget-per", "day"],
      ["--expires", "2099-01-31T12:00:00+01:00", "--log-content"],
    ].flat();
    expect(await json("create", ...options)).toEqual({
      key: {
        object: "key",
        id: expect.stringMatching(/^key_\w{24}$/),
        name: "team 'a'; --",
        hint: expect.stringMatching(/^sk-parley-[\w-]{4}$/),
        scopes: ["chat", "admin"],
        models: ["openai/*", "sandbox/eliza"],
        limits: {
          requests_per_minute: 600,
          tokens_per_minute: 5_000_000_000,
          concurrent: 3,
          concurrent_streams: 2,
          budget: { dollars: 2.5, per: "day" },
        },
        log_content: true,
        source: "database",
        created_at: expect.any(String),
        expires_at: "2099-01-31T11:00:00Z",
      },
      secret: expect.stringMatching(SECRET),
    });
  });

  it.each([
    ["30d", 2_592_000_000],
    ["12h", 43_200_000],
    ["5m", 300_000],
  ])("takes %s for an end from now on", async (text, milliseconds) => {
    const before = Date.now();
    const { key } = (await shell().json("create", "--expires", text)) as { key: { expires_at: string } };
    const end = Date.parse(key.expires_at);
    expect([end >= before + milliseconds, end <= Date.now() + milliseconds]).toEqual([true, true]);
  });

  it.each<[args: string[], stderr: RegExp]>([
    [
      ["create", "--scope", "all"],
      /^error: option '--scope <scope\.\.\.>' argument 'all' is invalid\. Allowed choices are /,
    ],
    [
      ["create", "--concurrent", "1.5"],
      /^error: option '--concurrent <number>' argument '1\.5' is invalid\. It must be a whole/,
    ],
    [["create", "--tokens-per-minute", "x"], /^error: option '--tokens-per-minute <number>' argument 'x' is invalid\./],
    [
      ["create", "--budget", "-1"],
      /^error: option '--budget <dollars>' argument '-1' is invalid\. It must be a number/,
    ],
    [["create", "--budget-per", "day"], /^error: option '--budget-per <period>' needs --budget\n$/],
    [
      ["create", "--budget", "1", "--budget-per", "week"],
      /argument 'week' is invalid\. Allowed choices are day, month\./,
    ],
    [
      ["create", "--expires", "tomorrow"],
      /^error: option '--expires <when>' argument 'tomorrow' is invalid\. It must be 30d/,
    ],
    [
      ["create", "--expires", "2001-01-01T00:00:00Z"],
      /^expires_at must be in the future, and before the year 10000\n$/,
    ],
    [["create", "--expires", "0d"], /^expires_at must be in the future/],
    [
      ["create", "--requests-per-minute", "0"],
      /^limits\.requests_per_minute is 0 but must be greater than or equal to 1 /,
    ],
    [["create", "--name", "x".repeat(201)], /^name must be at most 200 characters\n$/],
    [["create", "extra"], /^error: too many arguments for 'create'/],
    [["revoke"], /^error: missing required argument 'id'\n$/],
    [["revoke", "key_none"], /^there is no key with this id\n$/],
    [["list", "--config", "gone.yaml"], /^gone\.yaml: can't be read: there is no such file\n$/],
    [["frobnicate"], /^error: unknown command 'frobnicate'\n/],
  ])("refuses %j with status 1", async (args, stderr) => {
    const { run } = shell();
    const outcome = await run(...args);
    expect([outcome.status, outcome.stdout]).toEqual([1, ""]);
    expect(outcome.stderr).toMatch(stderr);
  });
});

describe("parley keys list", () => {
  it("says that there are none, and makes no database", async () => {
    const { cwd, run } = shell();
    expect(await run("list")).toEqual({
      status: 0,
      stdout: 'There are no keys. "parley keys create" makes one.\n',
      stderr: "",
    });
    expect(createLateStore({ dataDir: join(cwd, "parley-data"), databaseUrl: undefined }).exists).toBe(false);
  });

  it("shows keys of the file and of the database, and what state they are in", async () => {
    const { run, json } = shell({ "my.yaml": `auth: { keys: [{ id: ci, sha256: ${"a0".repeat(32)} }] }` });
    const config = ["--config", "my.yaml"];
    const kept = (await json("create", ...config, "--name", "kept")) as Made;
    const gone = (await json("create", ...config, "--scope", "admin", "--expires", "2d")) as Made;
    expect((await run("revoke", gone.key.id, ...config)).stdout).toMatch(`${gone.key.id} is revoked.`);
    const { stdout } = await run("list", ...config);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/ {2,}/));
    expect(lines[0]).toEqual(["id", "secret", "state", "scopes", "name"]);
    expect(lines[1]).toEqual(["ci", "(in the file)", "valid", "chat,models"]);
    expect(lines.slice(2)).toEqual(
      expect.arrayContaining([
        [kept.key.id, `${kept.secret.slice(0, 14)}…`, "valid", "chat,models", "kept"],
        [gone.key.id, `${gone.secret.slice(0, 14)}…`, expect.stringMatching(/^revoked \d{4}-\d\d-\d\d$/), "admin"],
      ]),
    );
    expect(await json("list", ...config)).toMatchObject({
      object: "list",
      data: [{ id: "ci", source: "config" }, {}, {}],
    });
  });

  it("shows nothing of a name that a terminal would heed", () => {
    const name = "\u001b[2J\u009b\u202eevil\n🙂";
    const row = formatKeys([{ id: "key_a", name, hint: "", scopes: [] as Scope[] } as never], 0);
    expect(row.split("\n")[1]).toMatch(/ {2}\\u\{1b\}\[2J\\u\{9b\}\\u\{202e\}evil\\u\{a\}🙂$/);
  });
});

describe("parley keys", () => {
  it("makes a key that a gateway on the same database knows, and revokes it", async () => {
    const { cwd, json, run } = shell();
    const store = createLateStore({ dataDir: join(cwd, "parley-data"), databaseUrl: undefined });
    onTestFinished(() => store.close());
    // As a process that serves, which keeps the folder for itself.
    await store.open();
    const stored = createStoredKeys({ store });
    onTestFinished(() => stored.close());
    await stored.start();
    const identity = createIdentity({
      auth: { keys: [], jwt: undefined, defaultLimits: undefined },
      stored,
      mayBeOpen: true,
    });
    expect(identity.isOpen).toBe(true);

    const { key, secret } = (await json("create", "--scope", "runs")) as Made;
    await stored.refresh();
    const headers = { authorization: `Bearer ${secret}` };
    expect(await identity.authenticate(headers)).toMatchObject({ id: key.id, scopes: new Set([Scope.RUNS]) });

    expect((await run("revoke", key.id)).status).toBe(0);
    await stored.refresh();
    await expect((async () => identity.authenticate(headers))()).rejects.toThrow("the key was revoked");
  });

  it("makes the key that a file waits for which has Parley listen for everybody", async () => {
    const { run } = shell({ "parley.yaml": "listen: 0.0.0.0:0\nstore: { data_dir: state }" });
    expect((await run("list")).status).toBe(0);
    expect((await run("create")).status).toBe(0);
  });

  it("says in words why the database can't be opened", async () => {
    const { run } = shell({ occupied: "" }, { PARLEY_DATA_DIR: "occupied/below" });
    const { status, stdout, stderr } = await run("create");
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^the folder \/\S+\/occupied\/below can't be used: a part of its path is a file; /);
  });

  it("is a command of its own process", async () => {
    const cwd = createFolder();
    const { status, stdout } = await runParley(["keys", "create", "--json"], { cwd });
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as Made).secret).toMatch(SECRET);
  });
});

const postgres = await serverUrl("postgres");

describe.skipIf(postgres === undefined)("parley keys on PostgreSQL", () => {
  it("makes, lists and revokes", async () => {
    const database = await createDatabase(postgres ?? "");
    onTestFinished(() => database.drop());
    const { run, json } = shell({}, { DATABASE_URL: database.url });
    const { key } = (await json("create", "--name", "p")) as Made;
    expect((await run("revoke", key.id)).status).toBe(0);
    expect((await run("list")).stdout).toMatch(new RegExp(`${key.id} .* revoked .* p\n$`));
  });
});
