import { describe, expect, it } from "vitest";
import { errorFields } from "../../src/telemetry/error-fields.ts";

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

describe("errorFields()", () => {
  it("keeps what JSON.parse quotes of a text to itself", () => {
    const error = thrownBy(() => JSON.parse("my s3cr3t prompt"));
    expect(String(error)).toContain("s3cr3t");
    expect(errorFields(error)).toEqual({ type: "SyntaxError", message: "", stack: expect.stringMatching(/^ +at /) });
  });

  it("keeps further properties of an error to itself", () => {
    const fields = errorFields(Object.assign(new Error("failed"), { body: "s3cr3t", request: { prompt: "s3cr3t" } }));
    expect(Object.keys(fields)).toEqual(["type", "message", "stack"]);
  });

  it.each([
    "s3cr3t",
    { message: "s3cr3t" },
    undefined,
    null,
    42,
  ])("says only the type of %j, which is no error", (thrown) => {
    expect(errorFields(thrown)).toEqual({ type: typeof thrown, message: "not an Error", stack: "" });
  });

  it("has the frames of the stack without a message of several lines", () => {
    const { message, stack } = errorFields(new Error("one\ntwo"));
    expect(message).toBe("one\ntwo");
    expect(stack.split("\n").every((line) => line.startsWith("    at "))).toBe(true);
  });

  it("cuts a message at 500 characters", () => {
    expect(errorFields(new Error("x".repeat(501))).message).toBe("x".repeat(500));
  });

  it("ends a chain of causes that has no end", () => {
    const error = new Error("again");
    error.cause = error;
    expect(JSON.stringify(errorFields(error)).match(/again/g)).toHaveLength(6);
  });
});
