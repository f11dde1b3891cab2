// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references to environment variables
import type { DescMessage, JsonValue } from "@bufbuild/protobuf";
import { FieldOptionsSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { substitute } from "../../src/config/substitute.ts";
import { ConfigSchema } from "../../src/gen/parley/config/v1/config_pb.ts";

const ENV = {
  NAME: "value",
  EMPTY: "",
  PORT: "8080",
  HALF: "0.5",
  WORD: "ten",
  _x9: "odd",
  AGAIN: "${NAME}",
  YES: "true",
};

function run(
  json: JsonValue,
  schema: DescMessage = ConfigSchema,
): { value: JsonValue | undefined; problems: string[] } {
  const problems: string[] = [];
  const value = substitute(schema, json, ENV, (path, message) => problems.push(`${path}: ${message}`));
  return { value, problems };
}

describe("substitute()", () => {
  it.each<[string, string]>([
    ["plain", "plain"],
    ["${NAME}", "value"],
    ["a-${NAME}-${PORT}.", "a-value-8080."],
    ["${EMPTY}", ""],
    ["${_x9}", "odd"],
    ["$${NAME}", "${NAME}"],
    ["$${NAME} ${NAME}", "${NAME} value"],
    ["$NAME $ $$ {NAME}", "$NAME $ $$ {NAME}"],
    ["${AGAIN}", "${NAME}"],
  ])("makes %j %j", (text, expected) => {
    expect(run({ listen: text })).toEqual({ value: { listen: expected }, problems: [] });
  });

  it("looks into lists and maps, and leaves keys and other values alone", () => {
    const json = { "${NAME}": ["${NAME}", 1, true, null, { deep: "${NAME}" }], timeouts: { total: "${HALF}s" } };
    const value = { "${NAME}": ["value", 1, true, null, { deep: "value" }], timeouts: { total: "0.5s" } };
    expect(run(json)).toEqual({ value, problems: [] });
  });

  it("keeps a key named __proto__ a key", () => {
    expect(JSON.stringify(run(JSON.parse('{"__proto__": {"listen": "${NAME}"}}')).value)).toBe(
      '{"__proto__":{"listen":"value"}}',
    );
  });

  it("makes a number where the schema wants one", () => {
    const json = { limits: { max_body_bytes: "${PORT}", max_connections: "1${PORT}" }, listen: "${PORT}" };
    const value = { limits: { max_body_bytes: 8080, max_connections: 18_080 }, listen: "8080" };
    expect(run(json)).toEqual({ value, problems: [] });
  });

  it("makes a boolean where the schema wants one", () => {
    const value = { lazy: true, packed: "ten", deprecated: false };
    expect(run({ lazy: "${YES}", packed: "${WORD}", deprecated: false }, FieldOptionsSchema)).toEqual({
      value,
      problems: [],
    });
  });

  it.each([["${WORD}"], ["${EMPTY}"], ["0x${PORT}"], ["8080"]])("leaves %j a text where it is no number", (text) => {
    expect(run({ limits: { max_connections: text } }).value).toEqual({
      limits: { max_connections: text.replace("${WORD}", "ten").replace("${EMPTY}", "").replace("${PORT}", "8080") },
    });
  });

  it("reports every variable that is not set, and every reference that is none", () => {
    const json = {
      tls: { key_file: "${GONE}/${MISSING}" },
      cors: { allowed_origins: ["x", "${not-a-name}"] },
      a: "${",
    };
    const malformed = 'has "${" without the name of a variable in braces; "$${" stands for these two characters';
    expect(run(json)).toEqual({
      value: undefined,
      problems: [
        "tls.key_file: takes the environment variable GONE, which is not set",
        "tls.key_file: takes the environment variable MISSING, which is not set",
        `cors.allowed_origins[1]: ${malformed}`,
        `a: ${malformed}`,
      ],
    });
  });

  it("says nothing of the variables that are set", () => {
    expect(run({ listen: "${NAME}${GONE}" }).problems.join()).not.toContain("value");
  });
});
