import { describe, expect, it } from "vitest";
import { formatPath, type PathSegment } from "../../src/openai-json/path.ts";

describe("formatPath()", () => {
  it.each<[PathSegment[], string | undefined, string]>([
    [[], undefined, ""],
    [[], "body", "body"],
    [["model"], undefined, "model"],
    [["messages", 2, "content", 0, "image_url", "url"], undefined, "messages[2].content[0].image_url.url"],
    [[3, "id"], undefined, "[3].id"],
    [["delta", 0], "choices[1]", "choices[1].delta[0]"],
    [["metadata", "a.b"], undefined, 'metadata["a.b"]'],
    [["metadata", ""], undefined, 'metadata[""]'],
    [["metadata", 'say "hi"\n'], undefined, 'metadata["say \\"hi\\"\\n"]'],
    [["logit_bias", "50256"], undefined, 'logit_bias["50256"]'],
    [["x", "\ud83d"], undefined, 'x["\\ud83d"]'],
    [["k".repeat(64)], undefined, "k".repeat(64)],
    [["k".repeat(65)], undefined, `["${"k".repeat(64)}…"]`],
  ])("writes %j below %j as %s", (segments, prefix, path) => {
    expect(formatPath(segments, prefix)).toBe(path);
  });

  it("cuts a path after 1,000 characters", () => {
    const path = formatPath(Array.from({ length: 100 }, () => "k".repeat(60)));
    expect(path).toHaveLength(1_001);
    expect(path.endsWith("…")).toBe(true);
  });
});
