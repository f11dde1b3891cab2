import { execFile } from "node:child_process";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createLines } from "./lines.ts";

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe("createLogger()", () => {
  it("writes a line of JSON with level, time, fields and message, and nothing else", () => {
    const lines = createLines();
    createLogger({ level: "info", destination: lines }).info({ model: "auto", count: 0 }, "call");
    expect(lines.all()).toStrictEqual([{ level: "info", time: TIME, model: "auto", count: 0, msg: "call" }]);
  });

  it.each([
    ["silent", []],
    ["error", ["error"]],
    ["warn", ["error", "warn"]],
    ["info", ["error", "warn", "info"]],
    ["debug", ["error", "warn", "info", "debug"]],
  ] as const)("writes at level %s %j", (level, expected) => {
    const lines = createLines();
    const logger = createLogger({ level, destination: lines });
    logger.error("x");
    logger.warn("x");
    logger.info("x");
    logger.debug("x");
    expect(lines.all()).toEqual(expected.map((written) => ({ level: written, time: TIME, msg: "x" })));
  });

  it("keeps what a text says on its line", () => {
    const lines = createLines();
    createLogger({ level: "info", destination: lines }).info(
      { userAgent: 'a\nb\r\u2028{"level":"error"}\u001b[31m' },
      "call",
    );
    expect(lines.all()).toEqual([
      { level: "info", time: TIME, userAgent: 'a\nb\r\u2028{"level":"error"}\u001b[31m', msg: "call" },
    ]);
  });

  it("redacts secrets", () => {
    const lines = createLines();
    const logger = createLogger({ level: "info", destination: lines });
    logger.info({ apiKey: "s3cr3t", headers: { Authorization: "Bearer s3cr3t", accept: "*/*" } }, "call");
    expect(lines.all()).toEqual([
      {
        level: "info",
        time: TIME,
        apiKey: "[redacted]",
        headers: { Authorization: "[redacted]", accept: "*/*" },
        msg: "call",
      },
    ]);
  });

  it("writes an error with its causes", () => {
    const lines = createLines();
    const error = new TypeError("outer", { cause: Object.assign(new Error("inner"), { code: "ECONNRESET" }) });
    createLogger({ level: "info", destination: lines }).error({ err: error }, "call");
    const stack = expect.stringMatching(/^ +at .*logger\.test\.ts/);
    const cause = { type: "Error", message: "inner", code: "ECONNRESET", stack };
    expect(lines.all()).toEqual([
      { level: "error", time: TIME, err: { type: "TypeError", message: "outer", stack, cause }, msg: "call" },
    ]);
  });
});

describe("plain()", () => {
  it("writes what the logger would have written of the same fields", () => {
    const value = fc.oneof(fc.string({ unit: "binary" }), fc.integer(), fc.boolean(), fc.constant(undefined));
    const fields = fc.record({ userAgent: value, path: value, attempts: fc.array(fc.string()) }, { requiredKeys: [] });
    fc.assert(
      fc.property(fields, fc.constantFrom("error", "warn", "info"), (some, level) => {
        const [ours, theirs] = [createLines(), createLines()];
        createLogger({ level: "info", destination: ours }).plain(level, { ...some, msg: "call" });
        createLogger({ level: "info", destination: theirs })[level](some, "call");
        const untimed = (lines: unknown[]) => lines.map((line) => ({ ...(line as object), time: TIME }));
        expect(untimed(ours.all())).toEqual(untimed(theirs.all()));
      }),
    );
  });

  it("writes nothing below the level, which may change", () => {
    const lines = createLines();
    const logger = createLogger({ level: "warn", destination: lines });
    logger.plain("info", { msg: "before" });
    logger.level = "info";
    logger.plain("info", { msg: "after" });
    logger.plain("debug", { msg: "below" });
    expect(lines.all()).toEqual([{ level: "info", time: TIME, msg: "after" }]);
  });
});

/** What a process writes to standard output that runs a script with a logger at hand. */
async function run(script: string): Promise<{ count: number }[]> {
  const begin = `
    import { createLogger, flushLogger } from "./src/telemetry/logger.ts";
    const logger = createLogger({ level: "info" });
    const log = (from, to) => {
      for (let count = from; count < to; count++) logger.plain("info", { count, msg: "x".repeat(50) });
    };`;
  const args = ["--import", "tsx/esm", "--input-type=module", "--eval", begin + script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { count: number });
}

describe("standard output", () => {
  it.each([
    ["its work is done", ""],
    ["it exits", "process.exit();"],
    ["it exits when its work is done", 'process.once("beforeExit", () => process.exit());'],
    ["it fails", 'process.once("uncaughtException", () => process.exit(0)); throw new Error("no");'],
    ["others were written before", "await flushLogger(logger); log(20_000, 20_001);"],
  ])("has every line of a process that ends because %s", async (_why, end) => {
    const lines = await run(`log(0, 20_000); ${end}`);
    expect(lines.length).toBeGreaterThanOrEqual(20_000);
    expect(lines.findIndex(({ count }, index) => count !== index)).toBe(-1);
  });

  it("has a line soon, though it is alone", async () => {
    const lines = await run(
      `log(0, 1); await new Promise((resolve) => setTimeout(resolve, 1000)); process.reallyExit(0);`,
    );
    expect(lines).toHaveLength(1);
  });
});

describe("flushLogger()", () => {
  it("has every line on standard output before the process ends", async () => {
    const lines = await run("log(0, 20_000); await flushLogger(logger); process.reallyExit(0);");
    const counts = lines.map(({ count }) => count);
    expect(counts).toHaveLength(20_000);
    expect(counts.findIndex((count, index) => count !== index)).toBe(-1);
  });
});
