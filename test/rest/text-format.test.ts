import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { isReflectMessage } from "@bufbuild/protobuf/reflect";
import * as wkt from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { CallReportSchema } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { readText, textFormat } from "../../src/rest/text-format.ts";

const fieldOf = (desc: DescMessage, name = "value"): DescField => desc.fields.find((field) => field.name === name)!;

/** One field of each kind. */
const FIELDS = {
  string: fieldOf(wkt.StringValueSchema),
  bool: fieldOf(wkt.BoolValueSchema),
  bytes: fieldOf(wkt.BytesValueSchema),
  double: fieldOf(wkt.DoubleValueSchema),
  float: fieldOf(wkt.FloatValueSchema),
  int32: fieldOf(wkt.Int32ValueSchema),
  uint32: fieldOf(wkt.UInt32ValueSchema),
  int64: fieldOf(wkt.Int64ValueSchema),
  uint64: fieldOf(wkt.UInt64ValueSchema),
  enum: fieldOf(ChatCompletionParamsSchema, "prompt_cache_retention"),
  strings: fieldOf(ChatCompletionParamsSchema, "stop"),
  enums: fieldOf(ChatCompletionParamsSchema, "modalities"),
} as const;

const read = (field: DescField, text: string): unknown => readText(textFormat(field)!, text, "query parameter x", "x");

describe("textFormat()", () => {
  it.each<[kind: keyof typeof FIELDS, text: string, value: unknown]>([
    ["string", "", ""],
    ["string", "a b", "a b"],
    ["bool", "true", true],
    ["bool", "false", false],
    ["bytes", "AQI=", Uint8Array.of(1, 2)],
    ["double", "0.25", 0.25],
    ["double", "-1e-3", -0.001],
    ["double", "7.", 7],
    ["float", ".5", 0.5],
    ["int32", "-2147483648", -2147483648],
    ["int32", "2147483647", 2147483647],
    ["uint32", "4294967295", 4294967295],
    ["int64", "-9223372036854775808", -9223372036854775808n],
    ["uint64", "18446744073709551615", 18446744073709551615n],
    ["enum", "in_memory", 1],
    ["enum", "24h", 2],
    ["strings", "a,b", "a,b"],
    ["enums", "audio", 2],
  ])("reads a %s from %j", (kind, text, value) => {
    expect(read(FIELDS[kind], text)).toEqual(value);
  });

  it.each<[kind: keyof typeof FIELDS, text: string, expected: string]>([
    ["bool", "yes", "true or false"],
    ["bool", "", "true or false"],
    ["bool", "True", "true or false"],
    ["bytes", "*", "base64"],
    ["double", "", "a number"],
    ["double", "1e400", "a number"],
    ["double", "NaN", "a number"],
    ["double", "0x10", "a number"],
    ["float", "1e39", "a number"],
    ["int32", "2147483648", "an integer from -2147483648 to 2147483647"],
    ["int32", "1.0", "an integer from -2147483648 to 2147483647"],
    ["int32", " 1", "an integer from -2147483648 to 2147483647"],
    ["uint32", "-1", "an integer from 0 to 4294967295"],
    ["int64", "9223372036854775808", "an integer from -9223372036854775808 to 9223372036854775807"],
    ["uint64", "18446744073709551616", "an integer from 0 to 18446744073709551615"],
    ["enum", "unspecified", "one of in_memory, 24h"],
    ["enum", "1", "one of in_memory, 24h"],
    ["enums", "TEXT", "one of text, audio"],
  ])("refuses to read a %s from %j", (kind, text, expected) => {
    const attempt = () => read(FIELDS[kind], text);
    expect(attempt).toThrow(GatewayError);
    expect(attempt).toThrow(
      expect.objectContaining({
        reason: Reason.INVALID_VALUE,
        message: `query parameter x must be ${expected}, but is "${text}"`,
        details: expect.objectContaining({ param: "x" }),
      }),
    );
  });

  it("reads a duration, and refuses what is none", () => {
    const field = fieldOf(CallReportSchema, "duration");
    const value = read(field, "1.5s");
    expect(isReflectMessage(value, wkt.DurationSchema) && value.message).toMatchObject({
      seconds: 1n,
      nanos: 500_000_000,
    });
    expect(() => read(field, "1.5")).toThrow(
      'query parameter x must be a duration in seconds, such as "1.5s", but is "1.5"',
    );
  });

  it("has no form for maps and other messages", () => {
    const fields = ["metadata", "logit_bias", "stream_options", "messages", "extra"];
    expect(fields.map((name) => textFormat(fieldOf(ChatCompletionParamsSchema, name)))).toEqual(
      fields.map(() => undefined),
    );
  });

  it("has a form for every scalar", () => {
    const kinds = Object.values(ScalarType).filter((scalar) => typeof scalar === "number");
    const formats = kinds.map((scalar) => textFormat({ ...FIELDS.string, scalar } as DescField)?.expected);
    expect(formats.every((expected) => typeof expected === "string" && expected !== "")).toBe(true);
  });

  it("shows no more than 40 characters of a wrong text", () => {
    expect(() => read(FIELDS.int32, "9".repeat(500))).toThrow(`but is "${"9".repeat(40)}…"`);
  });
});
