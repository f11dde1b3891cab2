import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import type { Adjustment } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { argumentsOf } from "../../src/providers/call-arguments.ts";
import type { Call } from "../../src/providers/turns.ts";

const callOf = (input: string, kind: Call["kind"] = "function"): Call => ({
  id: "c",
  kind,
  name: "f",
  input,
  place: "messages[1].tool_calls[0]",
  path: "messages[1].tool_calls[0].function.arguments",
  extraContent: undefined,
});

describe("argumentsOf()", () => {
  it.each<[input: string, json: string, reported: string[]]>([
    ["", "{}", []],
    [" \n", "{}", []],
    ['{"b":1,"a":12345678901234567890}', '{"b":1,"a":12345678901234567890}', []],
    ["{oops", '{"_raw":"{oops"}', ["it is no JSON, and Gemini wants an object"]],
    ["[1]", '{"value":[1]}', ["it is no object, and Gemini wants one"]],
    ["12345678901234567890", '{"value":12345678901234567890}', ["it is no object, and Gemini wants one"]],
    ["null", '{"value":null}', ["it is no object, and Gemini wants one"]],
  ])("makes of %j %s", (input, json, reported) => {
    const adjustments: Adjustment[] = [];
    const made = argumentsOf(callOf(input), { family: "Gemini", maxDepth: 3 }, adjustments);
    expect(JSON.stringify(made)).toBe(json);
    expect(adjustments.map(({ path, reason }) => [path, reason])).toEqual(
      reported.map((reason) => ["messages[1].tool_calls[0].function.arguments", reason]),
    );
  });

  it("takes the input of a custom tool as it is", () => {
    const adjustments: Adjustment[] = [];
    expect(argumentsOf(callOf("{oops", "custom"), { family: "Gemini", maxDepth: 3 }, adjustments)).toEqual({
      input: "{oops",
    });
    expect(adjustments).toEqual([]);
  });

  it("refuses more levels than the family takes", () => {
    let error: unknown;
    try {
      argumentsOf(callOf('{"a":[{"b":[]}]}'), { family: "Gemini", maxDepth: 3 }, []);
    } catch (thrown) {
      error = thrown;
    }
    expect(GatewayError.from(error).details.param).toBe("messages[1].tool_calls[0].function.arguments");
  });
});
