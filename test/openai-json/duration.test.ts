import { create } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "../../src/openai-json/duration.ts";

const duration = (seconds: number, nanos = 0) => create(DurationSchema, { seconds: BigInt(seconds), nanos });

describe("parseDuration()", () => {
  it.each([
    ["0s", 0, 0],
    ["180s", 180, 0],
    ["1.5s", 1, 500_000_000],
    ["0.000000001s", 0, 1],
    ["-1.5s", -1, -500_000_000],
    ["-0.25s", 0, -250_000_000],
    ["-0s", 0, 0],
    ["315576000000s", 315_576_000_000, 0],
  ])("reads %s as %i s and %i ns", (text, seconds, nanos) => {
    expect(parseDuration(text)).toStrictEqual(duration(seconds, nanos));
  });

  it.each([
    ...["", "s", "1", "1 s", "1S", "+1s", ".5s", "1.s", "1,5s", "1e3s", "0x1s", "1.5sx", "3m"],
    ...["1.0000000001s", "315576000001s", "315576000000.1s"],
  ])("takes %j for no duration", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe("formatDuration()", () => {
  it.each([
    [0, 0, "0s"],
    [1, 500_000_000, "1.5s"],
    [0, 1, "0.000000001s"],
    [0, -250_000_000, "-0.25s"],
    [-2, 0, "-2s"],
    [-315_576_000_000, 0, "-315576000000s"],
  ])("writes %i s and %i ns as %s", (seconds, nanos, text) => {
    expect(formatDuration(duration(seconds, nanos))).toBe(text);
  });

  it.each([
    [1, -1],
    [-1, 1],
    [0, 1_000_000_000],
    [315_576_000_001, 0],
    [-315_576_000_001, 0],
  ])("refuses %i s and %i ns", (seconds, nanos) => {
    expect(formatDuration(duration(seconds, nanos))).toBeUndefined();
  });
});
