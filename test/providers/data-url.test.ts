import { describe, expect, it } from "vitest";
import { cleanBase64, isDataUrl, parseDataUrl } from "../../src/providers/data-url.ts";

describe("isDataUrl()", () => {
  it.each([
    ["data:,a", true],
    ["DATA:image/png;base64,AAAA", true],
    ["https://a.example/data:", false],
    ["data", false],
    [" data:,a", false],
  ])("%j: %s", (url, expected) => {
    expect(isDataUrl(url)).toBe(expected);
  });
});

describe("parseDataUrl()", () => {
  it.each([
    ["data:image/png;base64,iVBORw0KGgo=", "image/png", "iVBORw0KGgo="],
    ["data:image/png;charset=utf-8;base64,AAAA", "image/png", "AAAA"],
    ["DATA:Image/PNG;BASE64,AAAA", "image/png", "AAAA"],
    ["data:image/png; base64,AAAA", "image/png", "AAAA"],
    ["data:application/pdf;name=a.pdf;base64,JVBERi0=", "application/pdf", "JVBERi0="],
    ["data:image/svg+xml;base64,PHN2Zz4=", "image/svg+xml", "PHN2Zz4="],
    ["data:;base64,AAAA", "text/plain", "AAAA"],
    ["data:,hello", "text/plain", "aGVsbG8="],
    ["data:text/plain;charset=utf-8,gr%C3%BC%C3%9Fe", "text/plain", "Z3LDvMOfZQ=="],
    ["data:text/plain,grüße", "text/plain", "Z3LDvMOfZQ=="],
    ["data:application/octet-stream,%00%ff", "application/octet-stream", "AP8="],
    ["data:text/plain,a,b", "text/plain", "YSxi"],
  ])("reads %s", (url, mimeType, data) => {
    expect(parseDataUrl(url)).toEqual({ mimeType, data });
  });

  it.each([
    ["https://a.example/a.png"],
    ["data:image/png;base64"],
    ["data:image/png;base64,"],
    ["data:image/png;base64,A"],
    ["data:image/png;base64,A==="],
    ["data:image/png;base64,AA==AA=="],
    ["data:image/png;base64,!!!!"],
    ["data:image/png;base64,AA%zz"],
    ["data:base64,AAAA"],
    ["data:image;base64,AAAA"],
    ["data:text/plain,%f"],
    ["data:text/plain,"],
  ])("does not read %s", (url) => {
    expect(parseDataUrl(url)).toBeUndefined();
  });
});

describe("cleanBase64()", () => {
  it.each([
    ["AAAA", "AAAA"],
    ["AA", "AA=="],
    ["AAA", "AAA="],
    ["-_-_", "+/+/"],
    [" AA\r\nAA\t", "AAAA"],
    ["AA%3D%3D", "AA=="],
    ["%2B%2F%2B%2F", "+/+/"],
  ])("makes %j into %j", (text, expected) => {
    expect(cleanBase64(text)).toBe(expected);
  });

  it("takes as much as any provider does", () => {
    const text = "QUJD".repeat(25 * 1024 * 1024);
    expect(cleanBase64(text)?.length).toBe(text.length);
    expect(cleanBase64(`${text}!`)).toBeUndefined();
  });
});
