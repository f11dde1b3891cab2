import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { renderCompatibility } from "../.ci/compatibility.ts";

describe("docs/compatibility.md", () => {
  it("is what the providers' tables say; `npm run generate` writes it", () => {
    expect(readFileSync(new URL("../docs/compatibility.md", import.meta.url), "utf8")).toBe(renderCompatibility());
  });
});
