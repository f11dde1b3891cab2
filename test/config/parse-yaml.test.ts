import type { JsonValue } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { parseYaml } from "../../src/config/parse-yaml.ts";

/** What was read, and the problems as "line:column message". */
function parse(text: string): { value: JsonValue | undefined; problems: string[] } {
  const problems: string[] = [];
  const value = parseYaml(text, (path, message, position) => {
    problems.push(`${path}${position?.line}:${position?.column} ${message}`);
  });
  return { value, problems };
}

describe("parseYaml()", () => {
  it.each<[string, JsonValue]>([
    ["", null],
    ["a: 1\nb: [x, 'y', \"z\"]", { a: 1, b: ["x", "y", "z"] }],
    ["a: yes\nb: on\nc: 012\nd: 1:30", { a: "yes", b: "on", c: 12, d: "1:30" }],
    ["a: 2026-11-20", { a: "2026-11-20" }],
    ["%YAML 1.1\n---\na: yes", { a: "yes" }],
    ["1: one\ntrue: two", { "1": "one", true: "two" }],
    ["a: &x { b: 1 }\nc: *x", { a: { b: 1 }, c: { b: 1 } }],
    ["a: &x { b: &x 1, c: *x }", { a: { b: 1, c: 1 } }],
    ["a: |\n  one\n  two\n", { a: "one\ntwo\n" }],
  ])("reads %j by the core schema of YAML 1.2", (text, value) => {
    expect(parse(text)).toEqual({ value, problems: [] });
  });

  it.each<[string, string[]]>([
    ["a: 1\na: 2", ["2:1 this key is there twice"]],
    ["a: [1, 2", ["1:9 the indentation does not fit, or a bracket is not closed"]],
    ['a: "x', ["1:6 a character is missing here, such as a quote, a bracket, a comma, a colon or a space"]],
    ["a:\n\tb: 1", ["2:1 indentation must be spaces, not tabs"]],
    ["a: 1\n---\n[", ["2:1 the file must hold one document"]],
    [
      "a: 1\n b: 2",
      ["1:4 a map or list can't start on this line", "1:4 a key must stand on one line; perhaps a colon is missing"],
    ],
    ["a: @x", ["1:4 a value that starts with this character must be quoted"]],
    ['a: "\\q"', ["1:5 this escape does not exist in a double-quoted string"]],
    ["a: !!js/function x", ["1:4 this tag is not known, or does not fit its value"]],
    ["a: !mine x", ["1:4 this tag is not known, or does not fit its value"]],
    ["a: !!binary aGk=", ["1:4 this tag is not known, or does not fit its value"]],
    ["? [a]\n: b", ["1:3 a key must be a string"]],
    ["a: 1\n---\nb: 2", ["2:1 the file must hold one document"]],
    ["a: *x\nb: &x 1\nc: *x", ["1:4 no anchor before this alias has its name"]],
    ["a: &x\n  b: [c, *x]", ["2:10 this alias stands within its own anchor"]],
    ["a: 1\na: 2\nb: 1\nb: 2", ["2:1 this key is there twice", "4:1 this key is there twice"]],
  ])("rejects %j where it is wrong", (text, problems) => {
    expect(parse(text)).toEqual({ value: undefined, problems });
  });

  it.each([
    ["secret: *s3cr3t", "an alias without an anchor"],
    ["s3cr3t", "text after a document", "...\ns3cr3t: [x\n"],
    ["a: !s3cr3t x", "a tag"],
    ["a: 's3cr3t' s3cr3t", "text after a value"],
    ["a: [s3cr3t s3cr3t: }", "brackets"],
    ["%s3cr3t\n---\na: 1", "a directive"],
  ])("quotes nothing of %j", (text, _what, more = "") => {
    const { value, problems } = parse(text + more);
    expect(value).toBeUndefined();
    expect(problems).not.toEqual([]);
    expect(problems.join()).not.toContain("s3cr3t");
  });

  it("bounds what aliases may repeat", () => {
    const levels = Array.from({ length: 20 }, (_, level) => `l${level + 1}: &l${level + 1} [*l${level}, *l${level}]`);
    expect(parse(`l0: &l0 [x, x]\n${levels.join("\n")}`)).toEqual({
      value: undefined,
      problems: ["undefined:undefined its aliases must repeat what they stand for no more than 100 times"],
    });
  });

  it.each(["[", "{a: ", "- "])("rejects 100,000 times %j without running out of stack", (opening) => {
    const { value, problems } = parse(opening.repeat(100_000));
    expect(value).toBeUndefined();
    expect(problems).not.toEqual([]);
  });
});
