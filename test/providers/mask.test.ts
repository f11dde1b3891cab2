import { describe, expect, it } from "vitest";
import { maskMessage } from "../../src/providers/mask.ts";

describe("maskMessage()", () => {
  it.each([
    [
      "Incorrect API key provided: sk-abcde***********wxyz. Find it at https://a.example.",
      "Incorrect API key provided: [redacted] Find it at https://a.example.",
    ],
    ["Incorrect API key provided: not-a-r****key.", "Incorrect API key provided: [redacted]"],
    ["key sk-proj-Ab1_cd-23456789 is wrong", "key [redacted] is wrong"],
    ["key sk-ant-api03-abc_DEF-123 is wrong", "key [redacted] is wrong"],
    ["key sk-secretsecret is wrong", "key [redacted] is wrong"],
    ["gsk_abcdefghijklmnop0123456789 is wrong", "[redacted] is wrong"],
    ["xai-ab****cd is wrong", "[redacted] is wrong"],
    ["hf_AbCdEfGhIjKlMnOpQrSt", "[redacted]"],
    ["AIzaSyA1234567890_bcdefg", "[redacted]"],
    ["ya29.a0Af_x-yz", "[redacted]"],
    ["AKIAIOSFODNN7EXAMPLE", "[redacted]"],
    ["the header was Bearer abc123.def", "the header was [redacted]"],
    ["authorization: bearer abcdefghijklmnopqrstuvwxyz", "authorization: [redacted]"],
    ["Basic dXNlcjpwYXNz=", "[redacted]"],
    ["eyJhbGciOiJI.eyJzdWIi.c2ln rest", "[redacted] rest"],
    ["0123456789abcdef0123456789abcdef is unknown", "[redacted] is unknown"],
    ["GET https://a.example/v1?alt=sse&key=secret: no", "GET https://a.example/v1?alt=sse&key=[redacted] no"],
    ["https://a.example/v1?api_key=secret&x=1", "https://a.example/v1?api_key=[redacted]&x=1"],
    ["https://a.example/v1?access_token=secret", "https://a.example/v1?access_token=[redacted]"],
  ])("hides the key in %j", (message, expected) => {
    expect(maskMessage(message)).toBe(expected);
  });

  it.each([
    [
      "Rate limit reached for gpt-4o in organization org-AbCdEfGh12345678IjKlMnOp on tokens per min (TPM): Limit 30000",
      "Rate limit reached for gpt-4o in organization [redacted] on tokens per min (TPM): Limit 30000",
    ],
    [
      "in organization `org_01jabcdefghjkmnpqrst` service tier `on_demand`",
      "in organization [redacted] service tier `on_demand`",
    ],
    [
      "This request would exceed your organization's rate limit of 30,000 input tokens per minute (org: 0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f, model: claude-x).",
      "This request would exceed your organization's rate limit of 30,000 input tokens per minute (org: [redacted], model: claude-x).",
    ],
    ["(org: Acme Incorporated, model: claude-x)", "(org: [redacted], model: claude-x)"],
    ["not in proj_AbCdEfGh12345678", "not in [redacted]"],
    ["user-AbCdEfGhIjKl", "[redacted]"],
    ["has not been used in project 123456789012 before", "has not been used in project [redacted] before"],
    ["projects/123456789012/locations/global", "projects/[redacted]/locations/global"],
  ])("hides the account in %j", (message, expected) => {
    expect(maskMessage(message)).toBe(expected);
  });

  it.each([
    "a user-friendly message, user_messages, user-provided and org-wide projects",
    "sk-ip, risk-assessment, ask-anything, pk-words, hf-inference, hf_transformers, xai-grok-4-fast, rk-something",
    "Basic authentication, bearer authentication and basic knowledge",
    "messages.4: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_01AbCdEfGhIjKlMnOpQrStUv.",
    "call_AbCdEfGhIjKlMnOpQrStUv12 has no result",
    "max_tokens: 5 < 1024 and budget_tokens > 3",
    "This model's maximum context length is 1048565 tokens. However, you requested 1250025 tokens.",
    "model: claude-3-sonnet-20240229",
    "the project is 5 days old, in projects/a",
    "?monkey=1&token_count=2",
  ])("leaves %j alone", (message) => {
    expect(maskMessage(message)).toBe(message);
  });

  it.each([
    [
      "<html><head><style>p { color: red }</style></head><body><h1>502</h1>\n<p>Bad gateway</p></body>",
      "502 Bad gateway",
    ],
    ["<!DOCTYPE html><!-- a > b --><script>if (a < b) c()</script><b>x</b>", "x"],
    ["<p>cut off <style>p {", "cut off"],
    ["a\r\nb\u0000\u2028c\t d", "a b c d"],
    ["  ", ""],
  ])("takes markup and control characters out of %j", (message, expected) => {
    expect(maskMessage(message)).toBe(expected);
  });

  it("reads no text again and again", () => {
    // Each of these took seconds with a pattern that looked ahead, or to the end, from each of its beginnings.
    for (const piece of ["<style ", "<", "hf-a-", "hf_aaaaaaaaaaaaaaa-", "eyJaaaaaa-"]) {
      expect(maskMessage(piece.repeat(65_536)).length).toBeLessThanOrEqual(501);
    }
  });

  it("cuts after 500 characters", () => {
    expect(maskMessage("ab ".repeat(200))).toBe(`${"ab ".repeat(166)}ab…`);
    expect(maskMessage("a".repeat(500))).toBe("a".repeat(500));
  });

  it("hides what the cut would cut in two", () => {
    expect(maskMessage(`${"a ".repeat(245)}sk-${"b".repeat(60)}`)).toBe(`${"a ".repeat(245)}[redacted]`);
  });
});
