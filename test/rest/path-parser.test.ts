import { describe, expect, it } from "vitest";
import { type PathSegment, parsePathTemplate } from "../../src/rest/path-parser.ts";

const show = (segment: PathSegment): string =>
  segment.kind === "literal" ? segment.text : segment.kind === "any" ? "*" : "**";

describe("parsePathTemplate()", () => {
  it.each<
    [
      template: string,
      segments: string[],
      variables: [field: string, start: number, end: number | undefined][],
      verb: string,
    ]
  >([
    ["/v1", ["v1"], [], ""],
    ["/v1/chat/completions", ["v1", "chat", "completions"], [], ""],
    ["/v1.2/a-b_c~d", ["v1.2", "a-b_c~d"], [], ""],
    ["/a%20b", ["a b"], [], ""],
    ["/*/x", ["*", "x"], [], ""],
    ["/x/**", ["x", "**"], [], ""],
    ["/{id}", ["*"], [["id", 0, 1]], ""],
    ["/x/{id=*}/y", ["x", "*", "y"], [["id", 1, 2]], ""],
    ["/v1/models/{model=**}", ["v1", "models", "**"], [["model", 2, undefined]], ""],
    ["/{name=shelves/*/books/*}", ["shelves", "*", "books", "*"], [["name", 0, 4]], ""],
    ["/{name=shelves/**}", ["shelves", "**"], [["name", 0, undefined]], ""],
    [
      "/{a.b}/{c}",
      ["*", "*"],
      [
        ["a.b", 0, 1],
        ["c", 1, 2],
      ],
      "",
    ],
    ["/v1/{run}:cancel", ["v1", "*"], [["run", 1, 2]], "cancel"],
    ["/{model=**}:explain", ["**"], [["model", 0, undefined]], "explain"],
  ])("parses %s", (template, segments, variables, verb) => {
    const parsed = parsePathTemplate(template);
    expect(parsed.source).toBe(template);
    expect(parsed.segments.map(show)).toEqual(segments);
    expect(parsed.variables.map(({ field, start, end }) => [field, start, end])).toEqual(variables);
    expect(parsed.verb).toBe(verb);
  });

  it.each<[template: string, message: string]>([
    ["", 'expected "/" at character 0'],
    ["v1", 'expected "/" at character 0'],
    ["/", "expected a literal at character 1"],
    ["/v1/", "expected a literal at character 4"],
    ["//v1", "expected a literal at character 1"],
    ["/**/x", "nothing may follow ** at character 4"],
    ["/{a=**}/x", "nothing may follow ** at character 8"],
    ["/{a", 'expected "}" at character 3'],
    ["/{}", "expected the path of a field at character 2"],
    ["/{a..b}", "expected the path of a field at character 2"],
    ["/{1a}", "expected the path of a field at character 2"],
    ["/{a=}", "expected a literal at character 4"],
    ["/{a={b}}", "a variable inside a variable at character 4"],
    ["/{a}/{a}", '"a" is bound twice at character 7'],
    ["/{a}b", "expected the end at character 4"],
    ["/a*", "expected the end at character 2"],
    ["/a:", "expected a literal at character 3"],
    ["/a:b:c", "expected the end at character 4"],
    ["/a:b/c", "expected the end at character 4"],
    ["/a b", "expected a literal at character 1"],
    ["/a%2", "expected a literal at character 1"],
    ["/a?b", "expected a literal at character 1"],
  ])("refuses %j", (template, message) => {
    expect(() => parsePathTemplate(template)).toThrow(new Error(`path template "${template}": ${message}`));
  });
});
