import { describe, expect, it } from "vitest";
import { scanPathTemplate } from "../../src/rest/path-scanner.ts";

describe("scanPathTemplate()", () => {
  it.each<[template: string, tokens: string[]]>([
    ["", ["end@0"]],
    ["/v1/models", ["/@0", "text:v1@1", "/@3", "text:models@4", "end@10"]],
    ["/{a.b=**}", ["/@0", "{@1", "text:a.b@2", "=@5", "**@6", "}@8", "end@9"]],
    ["/*:go", ["/@0", "*@1", ":@2", "text:go@3", "end@5"]],
    ["***", ["**@0", "*@2", "end@3"]],
    ["//", ["/@0", "/@1", "end@2"]],
    ["/a-b.c%20d", ["/@0", "text:a-b.c%20d@1", "end@10"]],
  ])("cuts %j", (template, tokens) => {
    const shown = scanPathTemplate(template).map(({ kind, text, at }) =>
      kind === "text" ? `text:${text}@${at}` : `${kind}@${at}`,
    );
    expect(shown).toEqual(tokens);
  });
});
