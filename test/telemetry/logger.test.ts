import { execFile } from "node:child_process";
import { promisify } from "node:util";
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

describe("flushLogger()", () => {
  it("has every line on standard output before the process ends", async () => {
    const script = `
      import { createLogger, flushLogger } from "./src/telemetry/logger.ts";
      const logger = createLogger({ level: "info" });
      for (let count = 0; count < 20000; count++) logger.info({ count }, "x".repeat(50));
      await flushLogger(logger);
      process.reallyExit(0);`;
    const args = ["--import", "tsx/esm", "--input-type=module", "--eval", script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 });
    const counts = stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { count: number }).count);
    expect(counts).toHaveLength(20_000);
    expect(counts.findIndex((count, index) => count !== index)).toBe(-1);
  });
});
