import { describe, expect, it } from "vitest";
import { UpstreamRequestSchema } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { stringifyJson } from "../../src/openai-json/encode.ts";
import { jsonTextKeys } from "../../src/openai-json/json-text-keys.ts";
import { parseJson } from "../../src/openai-json/parse.ts";

const exactKeys = jsonTextKeys(ChatCompletionParamsSchema);
const decode = (text: string) => decodeJson(ChatCompletionParamsSchema, parseJson(text, { exactKeys }));
const withSchema = (schema: string) => `{"model":"m","functions":[{"name":"f","parameters":${schema}}]}`;
const schemaIn = (text: string) => decode(text).functions[0]?.schema;

describe("a value that becomes text again", () => {
  it("is known by its key", () => {
    expect([...exactKeys].sort()).toEqual(["parameters", "schema"]);
    expect([...jsonTextKeys(UpstreamRequestSchema)]).toEqual(["body"]);
  });

  it.each([
    '{"maximum":12345678901234567890}',
    '{"const":-0}',
    '{"enum":[1,0.1000000000000000055]}',
    '{"a":{"b":[{"c":9007199254740993}]},"d":1}',
    '{"minimum":1e-400}',
    '{ "multipleOf" : 1.0000000000000000000001 }',
  ])("keeps the digits of %s", (schema) => {
    expect(schemaIn(withSchema(schema))).toEqual({ case: "parametersJson", value: schema });
  });

  it("is an object as any other where it has no such number", () => {
    const title = "1e400 and 12345678901234567890";
    expect(schemaIn(withSchema(`{ "maximum": 100, "title": "${title}" }`))).toEqual({
      case: "parameters",
      value: { maximum: 100, title },
    });
  });

  it("is refused where it is too long to keep its numbers", () => {
    const long = `{"enum":[${"1e1,".repeat(300_000)}1]}`;
    expect(() => decode(withSchema(long))).toThrow(
      "functions[0].parameters has numbers that a double may change, and is too long to keep them",
    );
  });

  it("is no text where it is no object", () => {
    expect(() => decode(withSchema("[12345678901234567890]"))).toThrow("functions[0].parameters must be an object");
  });

  it("is found beside others, behind escapes and under keys that are escaped themselves", () => {
    const long = '{"a\\"":12345678901234567890}';
    const tools = ["{}", long, "{}"].map(
      (each) => `{"type":"function","function":{"name":"f","param\\u0065ters":${each}}}`,
    );
    const format = `{"type":"json_schema","json_schema":{"name":"s","schema":${long}}}`;
    const text = `{"model":"\\"m","temperature":0.10000000000000001,"tools":[${tools}],"response_format":${format}}`;
    const { responseFormat, tools: decoded, temperature } = decode(text);
    const kinds = decoded.map(({ kind }) => (kind.case === "function" ? kind.value.schema.value : undefined));
    expect(kinds).toEqual([{}, long, {}]);
    expect(responseFormat?.format).toMatchObject({ value: { definition: { case: "schemaJson", value: long } } });
    expect(temperature).toBe(0.1);
  });

  it("leaves numbers elsewhere to be doubles and integers", () => {
    const { extra, seed } = decode('{"model":"m","seed":-9007199254740991,"mine":{"n":12345678901234567890}}');
    expect([seed, extra]).toEqual([-9007199254740991n, { mine: { n: 12345678901234567000 } }]);
  });

  it("keeps its digits when it is written as JSON", () => {
    const bodyJson = '{"maximum":12345678901234567890,"a":-0}';
    const written = stringifyJson(UpstreamRequestSchema, {
      $typeName: "parley.chat.v1.UpstreamRequest",
      method: "POST",
      url: "u",
      headers: {},
      bodyJson,
    });
    expect(written).toContain(`"body":${bodyJson}`);
  });
});
